"""A network as a sequence of operations that can be run again from any point on.

torch.fx traces it; batch-norm is folded into the convolution before it; nothing works in place, so that every value of
one run stays valid while parts of the network run again.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F
from torch.nn.modules.conv import _ConvNd

from explorer.core.text import first_line
from explorer.networks.network import Network, replica
from explorer.networks.tracing import NoGraph, symbolic_trace
from explorer.networks.units import Layer
from explorer.scoring.oracle.rewriting import CONVOLUTIONS, allow_any_memory_format, fold_batch_norm, forbid_in_place

ValueOf = Callable[[fx.Node], Any]


class Untraceable(Exception):
    """The network can't be run in parts; the message says why, for people."""


@dataclass(frozen=True, eq=False)
class Program:
    """The operations of a network in the order in which they run."""

    module: fx.GraphModule
    image: fx.Node  # the input
    logits: fx.Node  # the node whose value the network returns
    nodes: tuple[fx.Node, ...]  # every operation, without input and output
    sizes: frozenset[fx.Node]  # operations that yield numbers instead of tensors, such as the size of the batch
    bytes: Mapping[fx.Node, int]  # of an operation's value, one image, float32
    flops: Mapping[fx.Node, int]  # of a convolution or linear layer, one image; 1 multiply-add = 2 FLOPs

    @cached_property
    def batched(self) -> frozenset[fx.Node]:
        """The operations that depend on the images."""
        return self.downstream([self.image])

    def downstream(self, starts: Iterable[fx.Node]) -> frozenset[fx.Node]:
        """The operations that depend on these, themselves included."""
        found = set(starts)
        for node in self.nodes:
            if not found.isdisjoint(node.all_input_nodes):
                found.add(node)
        return frozenset(found)

    def consumers(self, layer: Layer) -> tuple[fx.Node, ...]:
        """The operations that read a layer's units, where its gates sit, in order."""
        return tuple(n for n in self.nodes if n.op == "call_module" and n.target in layer.consumers)

    def module_of(self, node: fx.Node) -> nn.Module:
        """The module that an operation calls."""
        return self.module.get_submodule(str(node.target))

    def is_relu(self, node: fx.Node) -> bool:
        """Whether the operation is a ReLU."""
        if node.op == "call_module":
            return type(self.module_of(node)) is nn.ReLU
        return node.target in (torch.relu, F.relu, "relu")

    def is_layer(self, node: fx.Node) -> bool:
        """Whether the operation is a convolution or a linear layer, whose output is a tensor of its own."""
        return node.op == "call_module" and type(self.module_of(node)) in (*CONVOLUTIONS, nn.Linear)

    def run(self, node: fx.Node, value_of: ValueOf) -> Any:
        """The value of one operation, given those of its inputs."""
        args, kwargs = fx.node.map_arg((node.args, node.kwargs), value_of)
        if node.op == "call_module":
            return self.module_of(node)(*args, **kwargs)
        if node.op == "call_method":
            return getattr(args[0], str(node.target))(*args[1:], **kwargs)
        if node.op == "get_attr":
            return operator.attrgetter(str(node.target))(self.module)
        assert callable(node.target)
        return node.target(*args, **kwargs)

    def values(self, x: Tensor) -> dict[fx.Node, Any]:
        """Every operation's value for a batch of images (N, C, ...)."""
        env: dict[fx.Node, Any] = {self.image: x}
        for node in self.nodes:
            env[node] = self.run(node, env.__getitem__)
        return env


def program_of(network: Network) -> Program:
    """Raises Untraceable where the network is no fixed list of steps, or where such a list computes otherwise."""
    consumers = frozenset(name for layer in network.units.layers for name in layer.consumers)
    try:
        module = symbolic_trace(replica(network.module).eval(), leaves=consumers)
    except NoGraph as problem:
        raise Untraceable(f"{network.name} can't be run in parts: {problem}.") from problem
    allow_any_memory_format(module)
    forbid_in_place(module)
    fold_batch_norm(module)
    return _listed(module, network)


@torch.no_grad()
def _listed(module: fx.GraphModule, network: Network) -> Program:
    """The program, tried out: in-place tricks that the rewriting does not know would show here."""
    images = [n for n in module.graph.nodes if n.op == "placeholder"]
    (output,) = (n for n in module.graph.nodes if n.op == "output")
    if len(images) != 1 or not isinstance(output.args[0], fx.Node):
        raise Untraceable(f"{network.name} does not have one input and one output tensor.")
    nodes = tuple(n for n in module.graph.nodes if n.op not in ("placeholder", "output"))
    program = Program(module, images[0], output.args[0], nodes, frozenset(), {}, {})
    x = torch.randn(2, *network.input_shape, generator=torch.Generator().manual_seed(0)).to(network.device)
    try:
        values = program.values(x)
    except Exception as problem:
        raise Untraceable(f"The trace of {network.name} does not run: {first_line(problem)}.") from problem
    if not torch.allclose(values[program.logits], network.module(x), rtol=1e-3, atol=1e-4):
        raise Untraceable(f"The trace of {network.name} computes something else than the network.")
    if any(len(t) != len(x) for n in program.batched for t in _tensors(values[n]) if t.dim()):
        raise Untraceable(f"{network.name} folds parts of an image into the batch, which can't be run in parts.")
    sizes = (n for n in program.batched - {program.image} if not _tensors(values[n]))
    spaces = {n: sum(t[0].numel() * 4 for t in _tensors(values[n])) for n in program.batched}
    flops = {n: _flops(program.module_of(n), values[n]) for n in nodes if program.is_layer(n)}
    return replace(program, sizes=frozenset(sizes), bytes=spaces, flops=flops)


def _tensors(value: Any) -> list[Tensor]:
    """The tensors that a value holds."""
    if isinstance(value, list | tuple):
        return [tensor for part in value for tensor in _tensors(part)]
    return [value] if isinstance(value, Tensor) else []


def _flops(module: nn.Module, out: Tensor) -> int:
    """FLOPs of one image: as many multiply-adds for each element of the output as its kernel has weights."""
    assert isinstance(module, _ConvNd | nn.Linear)
    return 2 * out[0].numel() * module.weight[0].numel()
