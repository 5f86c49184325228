"""The anytime oracle: an estimate for every unit from the first images on, exact in the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from explorer.core.progress import Report, silent
from explorer.data import Batches
from explorer.networks.gates import Gated
from explorer.networks.network import Network
from explorer.scoring.linearise import linear_change, linearise
from explorer.scoring.oracle.ablator import Ablator, Counter
from explorer.scoring.oracle.estimate import LEADING_IMAGES, most_telling_first
from explorer.scoring.oracle.incremental import Incremental
from explorer.scoring.oracle.program import Untraceable
from explorer.scoring.oracle.reference import ReferenceOracle
from explorer.scoring.oracle.result import Oracle
from explorer.scoring.ranking.correlation import spearman

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
LINEAR_SHARE = 0.125  # of the whole work that the linearisation about is, for progress
TOLERANCE = 1e-3  # of a change, and nats


@dataclass(frozen=True)
class OracleOptions:
    """Options of the oracle's computation."""

    reference: bool = False  # the slow, obvious implementation
    estimates: bool = True  # linearise first, and order images by what they tell
    memory: int | None = None  # bytes beside the network; None: a quarter of what is free
    precision: str = "float32"  # of convolutions and products


def oracle(
    network: Network, batches: Batches, options: OracleOptions = OracleOptions(estimates=False), report: Report = silent
) -> Oracle:
    """The oracle of all images."""
    *_, whole = oracle_steps(network, batches, options, report=report)
    return whole


def oracle_steps(
    network: Network,
    batches: Batches,
    options: OracleOptions = OracleOptions(),
    *,
    known: Oracle | None = None,
    linear: Tensor | None = None,
    report: Report = silent,
) -> Iterator[Oracle]:
    """The oracle as far as it is known, after every portion of images; the last one is whole.

    known: an earlier result on some of the same images, from which it goes on: its positions are those of `batches`.
    linear: (N, units) the linearised changes of these images, if they are at hand.
    """
    total = len(batches)
    counter = Counter(report, round(total * (1 + LINEAR_SHARE)) if options.estimates else total)
    linear = _linearised(network, batches, known, linear, counter) if options.estimates else None
    found = Oracle(network.units, torch.zeros(0, len(network.units)).double(), torch.zeros(0).long(), total, "", linear)
    if known is not None:
        found = replace(found, changes=known.changes, positions=known.positions, method=known.method, note=known.note)
        counter(found.images)
        yield found
    order = torch.arange(total) if linear is None else most_telling_first(linear)
    left = order[~torch.isin(order, found.positions)]
    if not len(left):
        return
    ablator, note = ablator_for(network, options, *next(iter(batches.picked(left[:LEADING_IMAGES]))))
    found = replace(found, method=ablator.method, note=note)
    for positions in _portions(left, batches.size):
        rows = [ablator.changes(x, y, counter) for x, y in batches.picked(positions)]
        found = replace(
            found, changes=torch.cat([found.changes, *rows]), positions=torch.cat([found.positions, positions])
        )
        yield found


def _portions(order: Tensor, size: int) -> list[Tensor]:
    """Small ones at first, so that there is soon something to see."""
    sizes = [LEADING_IMAGES]
    while sum(sizes) < len(order):
        sizes.append(min(sum(sizes), max(size, LEADING_IMAGES)))
    return [part for part in order.split([*sizes[:-1], len(order) - sum(sizes[:-1])]) if len(part)]


def _linearised(
    network: Network, batches: Batches, known: Oracle | None, linear: Tensor | None, counter: Counter
) -> Tensor:
    """(N, units) linearised changes of all images: those at hand, those of an earlier result on them, or new ones."""
    if linear is None and known is not None and known.total == len(batches):
        linear = known.linear
    if linear is not None:
        counter(LINEAR_SHARE * len(batches))
        return linear
    parts = []
    for found in linearise(network, batches):
        parts.append(linear_change(found))
        counter(LINEAR_SHARE * len(found))
    return torch.cat(parts)


def ablator_for(network: Network, options: OracleOptions, x: Tensor, y: Tensor) -> tuple[Ablator, str]:
    """The fastest way that gives the right figures, tried out on a few images, and what there is to know about it."""
    if options.reference:
        return ReferenceOracle(network), ""
    try:
        incremental = Incremental(network, options.memory, PRECISIONS[options.precision])
    except Untraceable as reason:
        return ReferenceOracle(network), f"{reason} So every unit's ablation runs the whole network."
    if incremental.precision != torch.float32:
        coarse, exact = (a.changes(x, y).mean(0).abs() for a in (incremental, Incremental(network, options.memory)))
        agreement = f"rank correlation with float32 {spearman(coarse, exact):.3f}, all layers, {len(y)} images"
        return incremental, f"Computed in {options.precision}: {agreement}."
    if not _right(network, x[:1], y[:1], incremental.changes(x[:1], y[:1])[0]):
        return ReferenceOracle(
            network
        ), "Running in parts gave other figures, so every unit's ablation runs the whole network."
    return incremental, ""


@torch.no_grad()
def _right(network: Network, x: Tensor, y: Tensor, changes: Tensor) -> bool:
    """Whether the unit of each layer that changes the loss of an image most does so with its gate closed, too."""
    units = [place.start + int(changes[place].abs().argmax()) for place in network.units.slices.values()]
    gates = torch.ones(1 + len(units), len(network.units))
    gates[torch.arange(1, len(gates)), units] = 0
    gated = Gated(network.module, network.units)
    many = x.expand(len(gates), *x.shape[1:])
    logits = gated(many.to(gated.device), gates.to(gated.device)).cpu().double()
    losses = network.loss.of_images(logits, y.expand(len(gates)))
    return torch.allclose(losses[1:] - losses[0], changes[units], rtol=TOLERANCE, atol=TOLERANCE)
