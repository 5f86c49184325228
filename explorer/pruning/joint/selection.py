"""Selection: which units go, step by step, with the network linearised anew on the way."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from explorer.core.progress import Report, silent, staying
from explorer.data import Batches
from explorer.evaluation.evaluate import evaluate
from explorer.networks.costs import Costs
from explorer.networks.network import Network
from explorer.networks.surgery import prune
from explorer.networks.units import Units
from explorer.pruning.joint.greedy import Order, order
from explorer.pruning.limits import FREE, Limits
from explorer.pruning.plan import over_all_units, remove_towards, remove_until, share_left
from explorer.scoring.predict import linearise_all
from explorer.scoring.ranking import AtPlan

EVERY = 0.04  # of all units: so many go between two linearisations
CALM = 1e-4  # nats: units that together add no more leave J as it is


def ranking(
    network: Network,
    batches: Batches,
    reference: Tensor,
    count: int | None = None,
    charge: Tensor | None = None,
    report: Report = silent,
    limits: Limits = FREE,
    *,
    further: bool = False,
) -> Order:
    """The greedy order of `count` units, or of all that the layers' floors allow, from one linearisation.

    reference: (N, classes) logits of the unpruned network on the same images. charge: (units,) nats, off each unit.
    With `further`, more than `count` are ordered as long as they add at most CALM nats in all.
    """
    calm = CALM if further else -math.inf
    return order(linearise_all(network, batches, report=report), reference, count, charge, report, calm, limits)


def select(
    network: Network,
    costs: Costs,
    batches: Batches,
    removed: Tensor,
    measure: str,
    target: float,
    *,
    every: int | None = None,
    charge: AtPlan | None = None,
    report: Report = silent,
    limits: Limits = FREE,
) -> Tensor:
    """The plan that continues `removed` until at most the share `target` of a measure is left.

    charge: from `explorer.scoring.ranking.charges`: nats that each unit's removal is worth, such as a price in nats a
    MFLOP. J is taken anew after every `every` units, by default EVERY of all; later where they add at most CALM nats,
    since what changes nothing leaves J as it is. Raises BadInput where the target can't be reached.
    """
    remove_until(costs, removed, torch.zeros(len(removed)), measure, target, limits)  # refuses at once
    reference = evaluate(network, batches, report=staying(report, 0)).logits
    count, first = every or default_step(network.units), share_left(costs, removed, measure)
    while (left := share_left(costs, removed, measure)) > target:
        now = staying(report, (first - left) / (first - target), f"{left:.1%} of the {measure} left")
        charged = None if charge is None else charge(removed)[~removed]
        found = ranking(prune(network, removed), batches, reference, count, charged, now, limits, further=True)
        places, decided = over_all_units(found.places, removed), max(1, len(found.units))
        removed = remove_towards(costs, removed, places, decided, (measure, target), limits)
    return removed


def default_step(units: Units) -> int:
    """Units that go between two linearisations where nobody says otherwise: EVERY of all, at least 1."""
    return max(1, round(EVERY * len(units)))
