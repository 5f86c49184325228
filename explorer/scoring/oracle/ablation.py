"""Ablation: the part of a network that runs again when one of a layer's gates closes, for many (image, unit) pairs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, fx

from explorer.networks.units import Layer
from explorer.scoring.oracle.contribution import Contribution
from explorer.scoring.oracle.program import Program

Env = Mapping[fx.Node, Any]  # every operation's value for a batch of images, all gates open


@dataclass(frozen=True, eq=False)
class Pairs:
    """P pairs of an image of the batch and a unit of the layer whose gate is closed for it."""

    image: Tensor  # (P,) int64
    unit: Tensor  # (P,) int64, counted within the layer

    def __len__(self) -> int:
        return len(self.image)

    def of(self, chosen: Tensor | slice) -> Pairs:
        """The pairs at these places."""
        return Pairs(self.image[chosen], self.unit[chosen])


@dataclass(frozen=True, eq=False)
class Ablation:
    """The part of the network that closing a gate of one layer changes, from one of the layer's consumers on.

    The pairs that it is for change nothing before `start`.
    """

    program: Program
    start: fx.Node
    channels: Mapping[fx.Node, Tensor]  # consumers from `start` on -> (units, k): what each unit is among its channels

    @cached_property
    def steps(self) -> tuple[fx.Node, ...]:
        """The operations that run again, in order."""
        changed = self.program.downstream(self.channels)
        sizes: set[fx.Node] = set()
        for node in reversed(self.program.nodes):
            if node in changed or node in sizes:
                sizes.update(i for i in node.all_input_nodes if i in self.program.sizes)
        return tuple(n for n in self.program.nodes if n in changed or n in sizes)

    @cached_property
    def flops(self) -> int:
        """FLOPs of one pair, in convolutions and linear layers: of the start's contribution and all after it."""
        whole = sum(self.program.flops.get(n, 0) for n in self.steps if n not in self._contributions)
        shares = {n: self.channels[n].shape[1] / len(c.by_channel) for n, c in self._contributions.items()}
        return whole + round(sum(share * self.program.flops[n] for n, share in shares.items()))

    @cached_property
    def bytes(self) -> int:
        """Of the largest value of one pair, or of the weights that a unit's contribution needs."""
        kernels = [4 * self.channels[n].shape[1] * c.by_channel[0].numel() for n, c in self._contributions.items()]
        return max([self.program.bytes[n] for n in self.steps] + kernels)

    @cached_property
    def _last_use(self) -> dict[fx.Node, fx.Node]:
        return {i: node for node in self.steps for i in node.all_input_nodes}

    @cached_property
    def _in_place(self) -> frozenset[fx.Node]:
        """ReLUs that may overwrite what they read: the output of a layer that nothing reads later."""
        again = set(self.steps)
        relus = {n: n.all_input_nodes[0] for n in self.steps if self.program.is_relu(n)}
        return frozenset(
            n for n, i in relus.items() if i in again and self._last_use[i] is n and self.program.is_layer(i)
        )

    @cached_property
    def _contributions(self) -> dict[fx.Node, Contribution]:
        """Of the consumers that read what no gate has changed yet."""
        again = set(self.steps)
        modules = {n: self.program.module_of(n) for n in self.channels if n.args[0] not in again}
        return {n: Contribution(module) for n, module in modules.items() if Contribution.possible(module)}

    @cached_property
    def bottlenecks(self) -> frozenset[fx.Node]:
        """Operations behind the last consumer through which every further change must pass."""
        found: set[fx.Node] = set()
        live: set[fx.Node] = set()
        ahead = set(self.channels)
        for node in self.steps:
            live -= {i for i in node.all_input_nodes if self._last_use[i] is node}
            live.add(node)
            ahead.discard(node)
            if live == {node} and not ahead and node is not self.program.logits:
                found.add(node)
        return frozenset(found)

    def run(self, env: Env, pairs: Pairs, watched: Iterable[fx.Node] = ()) -> tuple[Tensor, Tensor]:
        """Logits of the pairs that still differ, (P', classes), and which they are, (P',) places among the pairs.

        At `watched` bottlenecks, pairs whose change has died out are dropped; the others have the logits of `env`.
        """
        places = torch.arange(len(pairs), device=pairs.image.device)
        changed: dict[fx.Node, Any] = {}
        for node in self.steps:
            changed[node] = self._step(node, env, changed, pairs)
            for read in node.all_input_nodes:
                if self._last_use[read] is node:
                    changed.pop(read, None)
            if node in watched:
                alive = (changed[node] != env[node][pairs.image]).flatten(1).any(1)
                if not alive.all():
                    changed = {node: changed[node][alive]}
                    pairs, places = pairs.of(alive), places[alive]
            if not len(places):
                break
        return changed[self.program.logits] if len(places) else env[self.program.logits][:0], places

    def _step(self, node: fx.Node, env: Env, changed: Env, pairs: Pairs) -> Any:
        def value_of(read: fx.Node) -> Any:
            if read in changed or read not in self.program.batched:
                return changed.get(read, env[read])
            return _of_pairs(env[read], pairs, only_size=node in self.program.sizes)

        if node in self._in_place:
            return changed[node.all_input_nodes[0]].relu_()
        if node not in self.channels:
            return self.program.run(node, value_of)
        channels, read = self.channels[node][pairs.unit], node.args[0]
        assert isinstance(read, fx.Node)
        if contribution := self._contributions.get(node):
            alone = env[read][pairs.image[:, None], channels]
            return contribution.take_from(env[node][pairs.image], alone, channels)
        closed = value_of(read).clone()
        closed[torch.arange(len(pairs), device=closed.device)[:, None], channels] = 0
        return self.program.run(node, lambda other: closed if other is read else value_of(other))


def ablation(program: Program, layer: Layer, start: fx.Node) -> Ablation:
    """The ablation of a layer's units from one of its consumers on."""
    consumers = program.consumers(layer)
    read = {c.module: torch.from_numpy(c.channels) for c in layer.couplings if c.side == "in"}
    device = next(program.module.parameters()).device
    later = consumers[consumers.index(start) :]
    return Ablation(program, start, {node: read[str(node.target)].to(device) for node in later})


def _of_pairs(value: Any, pairs: Pairs, only_size: bool) -> Any:
    """A value that no gate changed, for the images of the pairs; where only its size counts, without its content."""
    if only_size:
        return torch.empty(len(pairs), *value.shape[1:], device="meta")
    return value[pairs.image]
