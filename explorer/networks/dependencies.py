"""Dependencies: the coupled channels by torch-pruning's dependency graph, read into plain index arrays."""

from __future__ import annotations

import copy
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from operator import itemgetter

import torch
import torch_pruning as tp
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from explorer.networks.chains import chains
from explorer.networks.coupling import Places, layer_of, width
from explorer.networks.layer_kinds import depthwise, kind_of
from explorer.networks.units import Layer, Units

FULLY_CONNECTED = "a fully connected layer: the method prunes feature maps of convolutions"
OUTPUT = "an output layer: its channels are the classes"
ACROSS = "coupled with {0}, a {1}, which can't be cut channel by channel"
UNTRACED = "which channels come and go with its own could not be followed"
TRANSPOSED = "a transposed convolution: only feature maps of other convolutions are removed here"
DOUBLY = "{0} belongs to several groups of coupled channels, which can't be cut one by one"


def find_units(module: nn.Module, example: Tensor) -> Units:
    """Every prunable unit of a network, and the reason for each layer that has none: each layer is in one of the two.

    example: one input batch, (1, C, ...). `module` is not changed. Where torch-pruning gives up on the network, the
    layers are those whose feature maps reach their readers through nothing but what `chains` can follow.
    """
    module = copy.deepcopy(module).requires_grad_(True).eval()
    runs = _runs(module, example)
    reasons = {name: FULLY_CONNECTED for name in runs if isinstance(module.get_submodule(name), nn.Linear)}
    groups = _groups(module, example)
    found = chains(module, runs) if groups is None else _layers(groups, module, runs)
    reasons.update({name: reason for name, reason in found.items() if isinstance(reason, str)})
    layers = _apart([layer for layer in found.values() if isinstance(layer, Layer)], reasons)
    covered = {writer for layer in layers for writer in layer.writers}
    place = {name: i for i, name in enumerate(runs)}
    return Units(
        tuple(sorted(layers, key=lambda layer: place[layer.name])),
        {name: reasons.get(name) or _unfollowed(module, name) for name in runs if name not in covered},
    )


def _apart(layers: list[Layer], reasons: dict[str, str]) -> list[Layer]:
    """The layers that share no writer, with each other or with those that have a reason; the others get one."""
    times = Counter(writer for layer in layers for writer in layer.writers)
    times.update(dict.fromkeys(reasons, 1))
    apart = [layer for layer in layers if all(times[writer] == 1 for writer in layer.writers)]
    for layer in layers:
        if layer not in apart:
            shared = next(writer for writer in layer.writers if times[writer] > 1)
            reasons.update({writer: reasons.get(writer, DOUBLY.format(shared)) for writer in layer.writers})
    return apart


def _unfollowed(module: nn.Module, name: str) -> str:
    return TRANSPOSED if isinstance(module.get_submodule(name), _ConvTransposeNd) else UNTRACED


def _runs(module: nn.Module, example: Tensor) -> Counter[str]:
    """The number of times that each convolution and linear layer runs in one pass, in the order of their first runs."""
    runs: Counter[str] = Counter()
    handles = [
        child.register_forward_hook(lambda *_, name=name: runs.update([name]))
        for name, child in module.named_modules()
        if isinstance(child, (_ConvNd, nn.Linear))
    ]
    with torch.no_grad():
        module(example)
    for handle in handles:  # the module is this file's own copy
        handle.remove()
    return runs


def _groups(module: nn.Module, example: Tensor) -> list[tp.Group] | None:
    """All groups of coupled channels rooted in a convolution; None if torch-pruning gives up."""
    try:
        with torch.enable_grad():
            graph = tp.DependencyGraph().build_dependency(module, example, verbose=False)
        return list(graph.get_all_groups(root_module_types=[nn.Conv1d, nn.Conv2d, nn.Conv3d]))
    except Exception:  # it raises whatever its tracing ran into
        return None


def _layers(groups: list[tp.Group], module: nn.Module, runs: Mapping[str, int]) -> dict[str, Layer | str]:
    """First writer -> its layer; every writer of a group without units -> the reason."""
    names = {child: name for name, child in module.named_modules()}
    found: dict[str, Layer | str] = {}
    reads = Counter(target for group in groups for target in {item.dep.target.module for item in group.items})
    alone = {names[target] for target, times in reads.items() if isinstance(target, nn.Linear) and times == 1}
    for group in groups:
        writers = _writers(group, names, runs)
        places = _places(group, names)
        layer = (
            places if isinstance(places, str) else layer_of(_flattened(places, module, alone), module, writers, runs)
        )
        found.update({layer.name: layer} if isinstance(layer, Layer) else dict.fromkeys(writers, layer))
    return found


def _writers(group: tp.Group, names: dict[nn.Module, str], runs: Mapping[str, int]) -> tuple[str, ...]:
    """The group's convolutions whose outputs are its feature maps, in execution order."""
    written = {
        names[item.dep.target.module]
        for item in group.items
        if isinstance(item.dep.target.module, _ConvNd) and item.dep.handler.__name__ == "prune_out_channels"
    }
    return tuple(name for name in runs if name in written)


def _places(group: tp.Group, names: dict[nn.Module, str]) -> Places | str:
    """The channels of one group, or the reason why they can't be pruned."""
    places: dict[tuple[str, str], set[tuple[int, int]]] = defaultdict(set)
    for item in group.items:
        target = item.dep.target.module
        if type(target).__name__ == "_OutputOp":
            return OUTPUT
        if target not in names:  # an operation without weights: concat, add, flatten
            if isinstance(target, nn.Parameter):
                return ACROSS.format("a bare parameter", "weight outside any layer")
            continue
        if isinstance(target, nn.PReLU) and target.num_parameters == 1:
            continue
        if kind_of(target) is None:
            return ACROSS.format(names[target], type(target).__name__)
        side = "in" if item.dep.handler.__name__ == "prune_in_channels" and not depthwise(target) else "out"
        places[names[target], side].update(zip(item.root_idxs, item.idxs, strict=True))
    return places


def _flattened(places: Places, module: nn.Module, alone: Collection[str]) -> Places:
    """The same where a linear layer reads each channel at k positions, in a row, which torch-pruning can overlook.

    It then takes the layer's first channels for all of them, or, behind two views, more than there are.
    alone: the linear layers that only this group reaches.
    """
    channels = 1 + max(root for pairs in places.values() for root, _ in pairs)
    found = dict(places)
    for (name, side), pairs in places.items():
        read = width(module.get_submodule(name), side)
        k, rest = divmod(read, channels)
        overlooked = set(pairs) == {(c, c) for c in range(channels)} or max(pairs, key=itemgetter(1))[1] >= read
        if name in alone and not rest and overlooked:
            found[name, side] = {(c, c * k + place) for c in range(channels) for place in range(k)}
    return found
