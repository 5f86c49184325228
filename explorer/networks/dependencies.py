"""Which channels are coupled: torch-pruning's dependency graph, read into plain index arrays."""

from __future__ import annotations

import copy
from collections import defaultdict

import numpy as np
import torch
import torch_pruning as tp
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from explorer.networks.units import Coupling, Layer, Units

RESIZABLE = (_ConvNd, nn.Linear, _BatchNorm)

FULLY_CONNECTED = "a fully connected layer: the method prunes feature maps of convolutions"
OUTPUT = "an output layer: its channels are the classes"
UNREAD = "no convolution or linear layer reads its feature maps"
GROUPED = "coupled with {0}, a grouped convolution, whose channels can't go one at a time"
ACROSS = "coupled with {0}, a {1}, which can't be cut channel by channel"
UNEVEN = "its channels meet {0} in uneven numbers"
UNTRACED = "the dependency graph of this architecture could not be built"


def find_units(module: nn.Module, example: Tensor) -> Units:
    """Every prunable unit of a network, and the reason for each layer that has none.

    example: one input batch, (1, C, H, W). `module` is not changed.
    """
    module = copy.deepcopy(module).requires_grad_(True).eval()
    names = {child: name for name, child in module.named_modules()}
    order = _execution_order(module, example)
    layers: list[Layer] = []
    reasons = {name: FULLY_CONNECTED for name in order if isinstance(module.get_submodule(name), nn.Linear)}
    for group in _groups(module, example):
        writers = _writers(group, names, order)
        found = _layer(group, names, order, writers)
        if isinstance(found, Layer):
            layers.append(found)
        else:
            reasons.update(dict.fromkeys(writers, found))
    covered = {writer for layer in layers for writer in layer.writers} | set(reasons)
    reasons.update({name: UNTRACED for name in order if name not in covered})
    place = {name: i for i, name in enumerate(order)}
    return Units(
        tuple(sorted(layers, key=lambda layer: place[layer.name])),
        dict(sorted(reasons.items(), key=lambda r: place[r[0]])),
    )


def _execution_order(module: nn.Module, example: Tensor) -> list[str]:
    """Names of the convolutions and linear layers, in the order in which they first run."""
    order: dict[str, None] = {}
    handles = [
        child.register_forward_hook(lambda *_, name=name: order.setdefault(name))
        for name, child in module.named_modules()
        if isinstance(child, (_ConvNd, nn.Linear))
    ]
    with torch.no_grad():
        module(example)
    for handle in handles:  # the module is this file's own copy
        handle.remove()
    return list(order)


def _groups(module: nn.Module, example: Tensor) -> list[tp.Group]:
    """All groups of coupled channels rooted in a convolution; none where torch-pruning gives up."""
    try:
        graph = tp.DependencyGraph().build_dependency(module, example, verbose=False)
        return list(graph.get_all_groups(root_module_types=[nn.Conv1d, nn.Conv2d, nn.Conv3d]))
    except Exception:  # it raises whatever its tracing ran into: every layer is then listed as not prunable
        return []


def _writers(group: tp.Group, names: dict[nn.Module, str], order: list[str]) -> tuple[str, ...]:
    """The group's convolutions whose outputs are its feature maps, in execution order."""
    written = {
        names[item.dep.target.module]
        for item in group.items
        if isinstance(item.dep.target.module, _ConvNd) and item.dep.handler.__name__ == "prune_out_channels"
    }
    return tuple(name for name in order if name in written)


def _layer(group: tp.Group, names: dict[nn.Module, str], order: list[str], writers: tuple[str, ...]) -> Layer | str:
    """One group as a layer, or the reason why it can't be pruned."""
    places: dict[tuple[str, str], set[tuple[int, int]]] = defaultdict(set)
    modules: dict[str, nn.Module] = {}
    for item in group.items:
        target = item.dep.target.module
        if type(target).__name__ == "_OutputOp":
            return OUTPUT
        if target not in names:  # an operation without weights: concat, add, flatten
            if isinstance(target, nn.Parameter):
                return ACROSS.format("a bare parameter", "weight outside any layer")
            continue
        name = names[target]
        if not isinstance(target, RESIZABLE):
            return ACROSS.format(name, type(target).__name__)
        if isinstance(target, _ConvNd) and target.groups > 1 and not depthwise(target):
            return GROUPED.format(name)
        side = "in" if item.dep.handler.__name__ == "prune_in_channels" and not depthwise(target) else "out"
        modules[name] = target
        places[name, side].update(zip(item.root_idxs, item.idxs, strict=True))
    units = len(group.items[0].idxs)
    couplings = []
    for (name, side), pairs in places.items():
        channels = _channels(pairs, units)
        if channels is None:
            return UNEVEN.format(name)
        couplings.append(Coupling(name, side, width(modules[name], side), channels))
    consumers = tuple(name for name in order if (name, "in") in places)
    if not consumers:
        return UNREAD
    return Layer(writers[0], tuple(range(units)), writers, consumers, tuple(couplings))


def _channels(pairs: set[tuple[int, int]], units: int) -> np.ndarray | None:
    """(unit, channel) pairs as an array (units, k), or None where k differs between units."""
    ordered = np.array(sorted(pairs))
    counts = np.bincount(ordered[:, 0], minlength=units)
    return ordered[:, 1].reshape(units, -1) if len(set(counts.tolist())) == 1 else None


def depthwise(module: nn.Module) -> bool:
    """Whether each channel has a kernel of its own, so that its input and output channels go together."""
    return (
        isinstance(module, _ConvNd) and module.groups > 1 and module.groups == module.in_channels == module.out_channels
    )


def width(module: nn.Module, side: str) -> int:
    """Number of channels that a convolution, linear or batch-norm layer reads ("in") or writes ("out")."""
    if isinstance(module, _ConvNd):
        return module.in_channels if side == "in" else module.out_channels
    if isinstance(module, nn.Linear):
        return module.in_features if side == "in" else module.out_features
    assert isinstance(module, _BatchNorm), f"{type(module).__name__} is not one of RESIZABLE"
    return module.num_features
