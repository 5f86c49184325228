"""Layers of networks on which torch-pruning gives up: feature maps that reach their readers along plain chains.

A chain is a convolution, then batch-norms, activations, poolings and depthwise convolutions, until every branch ends
in a convolution that reads it. Such channels are coupled with nothing else, whatever the rest of the network does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import torch
from torch import fx, nn
from torch.nn import functional as F
from torch.nn.modules.conv import _ConvNd
from torch.nn.modules.dropout import _DropoutNd
from torch.nn.modules.pooling import _AdaptiveAvgPoolNd, _AdaptiveMaxPoolNd, _AvgPoolNd, _MaxPoolNd

from explorer.networks.coupling import layer_of, width
from explorer.networks.layer_kinds import by_channel, depthwise, kind_of
from explorer.networks.tracing import NoGraph, symbolic_trace
from explorer.networks.units import Layer

BY_CHANNEL = (
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.CELU, nn.SELU, nn.SiLU, nn.GELU, nn.Mish, nn.Hardswish, nn.Hardtanh),
    *(nn.Identity, nn.Tanh, nn.Softplus, nn.Sigmoid, nn.Hardsigmoid),
    *(_DropoutNd, _AvgPoolNd, _MaxPoolNd, _AdaptiveAvgPoolNd, _AdaptiveMaxPoolNd),
)
FUNCTIONS: frozenset[Any] = frozenset(
    {torch.relu, F.relu, F.relu6, F.silu, F.gelu, F.hardswish, F.leaky_relu, F.elu, F.dropout, F.max_pool2d}
    | {F.avg_pool2d, F.adaptive_avg_pool2d, "relu", "relu_"}
)

UNTRACEABLE = "its forward pass decides by values that only a run knows, so that its channels can't be followed"
ELSEWHERE = "its feature maps go into {0}, behind which the channels of this architecture could not be followed"
OF_INPUT = "a depthwise convolution, whose channels are those of its input"

Places = dict[tuple[str, str], set[tuple[int, int]]]


def chains(module: nn.Module, runs: Mapping[str, int]) -> dict[str, Layer | str]:
    """First writer -> its layer, and every other convolution -> the reason why it can't be pruned."""
    convolutions = [name for name in runs if isinstance(module.get_submodule(name), _ConvNd)]
    try:
        graph = symbolic_trace(module, [name for name, child in module.named_modules() if kind_of(child)]).graph
        nodes = {str(node.target): node for node in graph.find_nodes(op="call_module")}
    except NoGraph:
        return dict.fromkeys(convolutions, UNTRACEABLE)
    found: dict[str, Layer | str] = {}
    for name in convolutions:
        alone = depthwise(module.get_submodule(name))
        found[name] = OF_INPUT if alone else _chain(nodes[name], module, runs)
    inside = {writer for layer in found.values() if isinstance(layer, Layer) for writer in layer.writers[1:]}
    return {name: layer for name, layer in found.items() if name not in inside}


def _chain(start: fx.Node, module: nn.Module, runs: Mapping[str, int]) -> Layer | str:
    """The layer of one convolution, if all that reads its feature maps can be followed."""
    name = str(start.target)
    places: Places = defaultdict(set)
    same = [(channel, channel) for channel in range(width(module.get_submodule(name), "out"))]
    places[name, "out"].update(same)
    waiting = list(start.users)
    while waiting:
        node = waiting.pop()
        side = _side(node, module)
        if side is None:
            return ELSEWHERE.format(_shown(node))
        if side:
            places[str(node.target), side].update(same)
        waiting += node.users if side != "in" else []
    written = {name for name, side in places if side == "out" and isinstance(module.get_submodule(name), _ConvNd)}
    return layer_of(places, module, [name for name in runs if name in written], runs)


def _side(node: fx.Node, module: nn.Module) -> str | None:
    """ "in" of a convolution that reads, "out" of what keeps its channels and has some of its own, "" if it has none.

    None for everything behind which channels are not what they were.
    """
    if node.op != "call_module":
        return "" if node.target in FUNCTIONS else None
    layer = module.get_submodule(str(node.target))
    if by_channel(layer) or depthwise(layer):
        return "out"
    return "in" if isinstance(layer, _ConvNd) else "" if isinstance(layer, BY_CHANNEL) else None


def _shown(node: fx.Node) -> str:
    name = getattr(node.target, "__name__", str(node.target))
    return "the network's output" if node.op == "output" else f"the operation {name}"
