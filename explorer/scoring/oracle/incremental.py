"""The incremental oracle: exact, and runs again only what a closed gate changes.

The part before a gate's first consumer is computed once a batch of images. That consumer's output is its old output
without the unit's contribution, and from there on the network runs on many (image, unit) pairs as one batch. Pairs
whose feature map is zero change nothing and are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from explorer.core.parallel import side_by_side, workers
from explorer.networks.network import Network
from explorer.networks.units import Layer
from explorer.scoring.oracle.ablation import Ablation, Env, Pairs, ablation
from explorer.scoring.oracle.ablator import Done, ignore
from explorer.scoring.oracle.memory import default_budget, images_at_once, pairs_at_once
from explorer.scoring.oracle.program import program_of

WATCH = 0.1  # share of the changes that must die out for looking after them to pay
FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}  # by dimensions of the images: faster on every device


@dataclass(frozen=True, eq=False)
class Piece:
    """Pairs that run together."""

    part: Ablation
    pairs: Pairs
    first_unit: int  # of their layer
    images: float  # how many images' work they are about


class Incremental:
    """A network prepared for the incremental oracle. Raises Untraceable where it can't be.

    memory: bytes that may be used beside the network itself. precision: of convolutions and products, by autocast.
    """

    method = "incremental"

    def __init__(self, network: Network, memory: int | None = None, precision: torch.dtype = torch.float32) -> None:
        self.program = program_of(network)
        self.units, self.loss = network.units, network.loss
        self.device = network.device
        self.memory = default_budget(self.device) if memory is None else memory
        self.precision = precision
        self.executed = 0  # FLOPs of convolutions and linear layers so far

    @cached_property
    def parts(self) -> dict[Layer, list[Ablation]]:
        """By layer: for each consumer, all that a gate changes from it on."""
        return {
            layer: [ablation(self.program, layer, node) for node in self.program.consumers(layer)]
            for layer in self.units.layers
        }

    @cached_property
    def share(self) -> dict[Layer, float]:
        """About what share of the work each layer's units are."""
        work = {layer: len(layer) * max(part.flops for part in parts) for layer, parts in self.parts.items()}
        return {layer: flops / max(1, sum(work.values())) for layer, flops in work.items()}

    def changes(self, x: Tensor, y: Tensor, done: Done = ignore) -> Tensor:
        """C_n(g_u = 0) - C_n(g = 1) of every image and unit, (N, units), nats, float64, on the CPU.

        x: (N, C, ...) images, y: (N,) labels. A network's answer to an image does not depend on the others, so
        neither does this on how the images are split.
        """
        size = images_at_once(sum(self.program.bytes.values()), self.memory)
        batches = zip(x.split(size), y.split(size), strict=True)
        return torch.cat(
            [self._changes(images.to(self.device), labels.to(self.device), done) for images, labels in batches]
        )

    def _changes(self, x: Tensor, y: Tensor, done: Done) -> Tensor:
        with self._computing():
            env = self.program.values(x.to(memory_format=FORMATS.get(x.dim(), torch.contiguous_format)))
            base = self._losses(env[self.program.logits], y)
        found = base.new_zeros(len(y), len(self.units))
        fruitless: set[Ablation] = set()

        def ablated(piece: Piece) -> tuple[Piece, Pairs, Tensor]:
            """The pairs of a piece that change their image's loss, and by how much."""
            watched = frozenset() if piece.part in fruitless else piece.part.bottlenecks
            with self._computing():
                logits, places = piece.part.run(env, piece.pairs, watched)
                alive = piece.pairs.of(places)
                return piece, alive, self._losses(logits, y[alive.image]) - base[alive.image]

        for piece, alive, changes in side_by_side(ablated, self._pieces(env, len(y), done), self.device):
            found[alive.image, piece.first_unit + alive.unit] = changes
            if len(alive) > (1 - WATCH) * len(piece.pairs):
                fruitless.add(piece.part)
            self.executed += piece.part.flops * len(piece.pairs)
            done(piece.images)
        return found.cpu()

    @contextmanager
    def _computing(self) -> Iterator[None]:
        """For every thread that computes: these settings are each thread's own."""
        coarse = self.precision != torch.float32
        with torch.no_grad(), torch.autocast(self.device.type, self.precision, enabled=coarse):
            yield

    def _pieces(self, env: Env, images: int, done: Done) -> Iterator[Piece]:
        """All pairs that may change anything, as many at once as fit."""
        for layer, place in zip(self.units.layers, self.units.slices.values(), strict=True):
            work = [(part, pairs) for part, pairs in self._work(layer, env) if len(pairs)]
            share = self.share[layer] * images / max(1, sum(len(pairs) for _, pairs in work))
            if not work:
                done(self.share[layer] * images)
            for part, pairs in work:
                size = pairs_at_once(part.bytes, self.memory // workers(self.device), self.device)
                for k in range(0, len(pairs), size):
                    chosen = pairs.of(slice(k, k + size))
                    yield Piece(part, chosen, place.start, len(chosen) * share)

    def _work(self, layer: Layer, env: Env) -> Iterator[tuple[Ablation, Pairs]]:
        """The pairs whose change starts at each consumer, as earlier consumers read only zeros of the unit."""
        started: Tensor | None = None
        for part in self.parts[layer]:
            (read,) = (env[node] for node in part.start.all_input_nodes)
            nonzero = (read != 0).flatten(2).any(2) if read.dim() > 2 else read != 0  # (N, channels)
            starting = nonzero[:, part.channels[part.start]].any(2)
            starting = starting if started is None else starting & ~started
            started = starting if started is None else starting | started
            yield part, Pairs(*starting.nonzero(as_tuple=True))

    def _losses(self, logits: Tensor, y: Tensor) -> Tensor:
        """(N,), float64 where the device has it."""
        precise = logits.float() if logits.device.type == "mps" else logits.double()
        return self.loss.of_images(precise, y)
