"""Selection: which units go, step by step, with the network linearised anew on the way."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.core.progress import Report, silent, staying
from explorer.data import Batches
from explorer.evaluation.evaluate import evaluate
from explorer.networks.costs import Costs
from explorer.networks.network import Network
from explorer.networks.surgery import prune
from explorer.networks.units import Units
from explorer.pruning.joint.greedy import ALL_ALLOWED, JointOrder, Rules, order
from explorer.pruning.limits import NO_LIMITS, Limits
from explorer.pruning.plan import over_all_units, remove_towards, remove_until, share_left
from explorer.scoring.predict import linearise_all
from explorer.scoring.ranking import AtPlan

SHARE_PER_LINEARISATION = 0.04  # of all units: so many go between two linearisations
NEGLIGIBLE_LOSS = 1e-4  # nats: units that together add no more leave J as it is


def ranking(
    network: Network, batches: Batches, reference: Tensor, rules: Rules = ALL_ALLOWED, report: Report = silent
) -> JointOrder:
    """The greedy order of the network's units, from one linearisation.

    reference: (N, classes) logits of the unpruned network on the same images.
    """
    return order(linearise_all(network, batches, report=report), reference, rules, report)


@dataclass(frozen=True, eq=False)
class Course:
    """The extent of a selection, and its rules."""

    measure: str
    target: float  # at most this share of the measure is left
    every: int | None = None  # units that go between two linearisations; by default SHARE_PER_LINEARISATION of all
    charge: AtPlan | None = None  # from `explorer.scoring.ranking.charges`: nats that each unit's removal is worth
    limits: Limits = NO_LIMITS


def select(
    network: Network, costs: Costs, batches: Batches, removed: Tensor, course: Course, report: Report = silent
) -> Tensor:
    """The plan that continues `removed` to the end of the course.

    J is taken anew after every `course.every` units; later where they add at most CALM nats, since what changes nothing
    leaves J as it is. Raises BadInput if the target can't be reached.
    """
    measure, target, limits = course.measure, course.target, course.limits
    remove_until(costs, removed, torch.zeros(len(removed)), measure, target, limits)  # refuses at once
    reference = evaluate(network, batches, report=staying(report, 0)).logits
    count, first = course.every or default_step(network.units), share_left(costs, removed, measure)
    while (left := share_left(costs, removed, measure)) > target:
        now = staying(report, (first - left) / (first - target), f"{left:.1%} of the {measure} left")
        charge = None if course.charge is None else course.charge(removed)[~removed]
        found = ranking(prune(network, removed), batches, reference, Rules(count, charge, limits, NEGLIGIBLE_LOSS), now)
        places, decided = over_all_units(found.places, removed), max(1, len(found.units))
        removed = remove_towards(costs, removed, places, decided, (measure, target), limits)
    return removed


def default_step(units: Units) -> int:
    """The default number of units that go between two linearisations: SHARE_PER_LINEARISATION of all, at least 1."""
    return max(1, round(SHARE_PER_LINEARISATION * len(units)))
