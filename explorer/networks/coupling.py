"""From which channels come and go together to a layer of units, or to the reason why it has none."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import nn
from torch.nn.modules.conv import _ConvNd

from explorer.networks.layer_kinds import depthwise, kind_of
from explorer.networks.units import Coupling, Layer

UNREAD = "no convolution or linear layer reads its feature maps"
UNEVEN = "only some of its channels reach {0}, or not each of them as often, so that they are not alike"
AT_ONCE = "{0} makes one channel of all its channels: they could only go all at once"
TIED = "all its channels are tied together by {0}, {1}: they could only go all at once"
PARTLY = "{0}, {1}, shares its groups between several layers, whose channels can't go independently"
COMPUTED = "{0} computes its weight anew in each pass, as weight_norm does, so that it holds no channels to cut"
REPEATED = "{0} runs {1} times in one pass: its units would be several feature maps each"

Places = Mapping[tuple[str, str], Collection[tuple[int, int]]]
"""(module, side) -> pairs of a channel of the first writer and the channel of this module that goes with it."""


def layer_of(places: Places, module: nn.Module, writers: Sequence[str], runs: Mapping[str, int]) -> Layer | str:
    """The layer of the channels that these convolutions write, or why it can't be pruned, as a sentence.

    runs: how often each convolution and linear layer runs in one pass, in the order in which they first do. Channels
    that a grouped convolution reads or writes go in sets, one channel out of every group, so that its groups stay
    alike, and those of a GroupNorm by whole groups: such a set is one unit.
    """
    often = next((name for name in writers if runs[name] > 1), None)
    if often:
        return REPEATED.format(often, runs[often])
    for (name, side), pairs in places.items():
        resized = module.get_submodule(name)
        if _ties(resized) and not _whole(np.array([sorted({channel for _, channel in pairs})]), resized, side):
            return PARTLY.format(name, _called(resized))
    together = _together(places, module)
    computed = next((name for name, _ in places if computes_weight(module.get_submodule(name))), None)
    if computed is not None:
        return COMPUTED.format(computed)
    couplings = []
    for (name, side), pairs in places.items():
        resized = module.get_submodule(name)
        channels = _channels({(int(together[root]), channel) for root, channel in pairs}, int(together.max()) + 1)
        if channels is None:
            return UNEVEN.format(name)
        if _ties(resized) and len(channels) == 1:
            return TIED.format(name, _called(resized))
        if _ties(resized) and not _whole(channels, resized, side):
            return PARTLY.format(name, _called(resized))
        couplings.append(Coupling(name, side, width(resized, side), channels))
    consumers = tuple(name for name in runs if (name, "in") in places)
    if not consumers:
        return UNREAD
    _, first = np.unique(together, return_index=True)
    if len(first) == 1 and (one := _narrowed(writers, module)):
        return AT_ONCE.format(one)
    return Layer(writers[0], tuple(first.tolist()), tuple(writers), consumers, tuple(couplings), len(first))


def _narrowed(writers: Sequence[str], module: nn.Module) -> str | None:
    """The first writer of one channel, where others write more: it reads channels as places of one map."""
    widths = {name: width(module.get_submodule(name), "out") for name in writers}
    return (
        next((name for name, channels in widths.items() if channels == 1), None) if max(widths.values()) > 1 else None
    )


def _together(places: Places, module: nn.Module) -> np.ndarray:
    """(channels of the first writer,) int: the unit that each belongs to, counted in the order of their first ones."""
    count = 1 + max(root for pairs in places.values() for root, _ in pairs)
    edges, nodes = [(np.arange(count), np.arange(count))], count
    for (name, side), pairs in places.items():
        layer = module.get_submodule(name)
        if _ties(layer):
            root, channel = np.array(sorted(pairs)).T
            edges.append((root, nodes + _set(layer, side, channel)))
            nodes += width(layer, side)
    ends = np.concatenate([np.stack(edge) for edge in edges], axis=1)
    graph = coo_array((np.ones(ends.shape[1], bool), tuple(ends)), shape=(nodes, nodes))
    _, first, unit = np.unique(
        connected_components(graph, directed=False)[1][:count], return_index=True, return_inverse=True
    )
    return np.argsort(np.argsort(first))[unit]


def _set(layer: nn.Module, side: str, channel: np.ndarray) -> np.ndarray:
    """The set that each channel goes with: its place in every group of a convolution, or its group of a GroupNorm."""
    if isinstance(layer, nn.GroupNorm):
        return channel // (layer.num_channels // layer.num_groups)
    assert isinstance(layer, _ConvNd)
    return channel % (width(layer, side) // layer.groups)


def _channels(pairs: set[tuple[int, int]], units: int) -> np.ndarray | None:
    """(unit, channel) pairs as an array (units, k), or None if k differs between units."""
    ordered = np.array(sorted(pairs))
    counts = np.bincount(ordered[:, 0], minlength=units)
    return ordered[:, 1].reshape(units, -1) if len(set(counts.tolist())) == 1 else None


def _whole(channels: np.ndarray, layer: nn.Module, side: str) -> bool:
    """channels (units, k): whether each unit has all of a set's channels, or none."""
    sets = _set(layer, side, np.arange(width(layer, side)))
    size = np.bincount(sets)
    return all(set((np.bincount(sets[unit], minlength=len(size)) / size).tolist()) <= {0, 1} for unit in channels)


def _ties(layer: nn.Module) -> bool:
    """Whether channels of the layer go in sets."""
    return grouped(layer) or (isinstance(layer, nn.GroupNorm) and layer.num_groups < layer.num_channels)


def _called(layer: nn.Module) -> str:
    return f"a GroupNorm of {layer.num_groups}" if isinstance(layer, nn.GroupNorm) else "a grouped convolution"


def computes_weight(module: nn.Module) -> bool:
    """Whether its weight is no tensor of its own but made of others: parametrized, or by hooks of older torch."""
    return "weight" not in {**module._parameters, **module._buffers}


def grouped(module: nn.Module) -> bool:
    """Whether it is a convolution of several groups that is not depthwise."""
    return isinstance(module, _ConvNd) and module.groups > 1 and not depthwise(module)


def width(module: nn.Module, side: str) -> int:
    """Number of channels that a layer reads ("in") or writes ("out")."""
    kind = kind_of(module)
    assert kind is not None, f"{type(module).__name__} has no channels of its own"
    return kind.width(module, side)
