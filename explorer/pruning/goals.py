"""Goals: how far a network is pruned, down to a share of what it costs, or for as long as a budget of quality holds."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import torch

from explorer.core.errors import BadInput
from explorer.core.progress import Report, silent
from explorer.evaluation.evaluate import latency_share
from explorer.evaluation.metrics import Metrics
from explorer.networks.costs import Costs
from explorer.networks.network import Network
from explorer.networks.surgery import prune
from explorer.networks.units import none_removed
from explorer.pruning.limits import Limits
from explorer.pruning.plan import MEASURES, remove_all

LATENCY, LOSS, ACCURACY = "latency", "loss", "accuracy"


@dataclass(frozen=True)
class Goal:
    """One thing to prune towards: the row that page, command line and documentation are made from.

    Counted goals follow from the plan, a latency from a measurement, and budgets from evaluating each state: the
    first state beyond a budget is the last, and the one before it the result.
    """

    name: str
    title: str
    number: str  # form of the number on the command line
    bound: str  # "Down to", "At most", "At least"
    unit: str  # of the number on pages
    summary: str
    rule: str
    below: float = 1.0  # numbers lie between 0 and this
    holds: Callable[[float, float], bool] | None = None  # of a budget: whether what was measured is within it

    @property
    def counted(self) -> bool:
        """Whether a plan alone says how far it is."""
        return self.name in MEASURES

    @property
    def label(self) -> str:
        """Of the number on pages: "Down to, %"."""
        return f"{self.bound}, {self.unit}"

    def in_words(self, number: float) -> str:
        """In words.

        >>> GOALS["flops"].in_words(0.5), GOALS["loss"].in_words(0.2)
        ('down to 50 % of the FLOPs', 'at most 0.2 nats of loss')
        """
        if self.unit == "%":
            return f"{self.bound.lower()} {100 * number:.4g} % of the {self.title}"
        return f"{self.bound.lower()} {number:g} {self.unit} of {self.title}"


def _share(name: str, title: str, how: str) -> Goal:
    """A goal of the form: at most this share of it is left."""
    summary = f"Stop when at most this share (0 to 1) of the {title} is left, {how}."
    return Goal(name, title, "SHARE", "Down to", "%", summary, "between 0 and 1: it is the share that is left")


BEYOND = "on the validation images: the first step beyond it is the last, and the one before it the result"
GOALS: dict[str, Goal] = {
    goal.name: goal
    for goal in (
        _share("units", "units", "prunable channels"),
        _share("params", "parameters", "all that the network holds"),
        _share("flops", "FLOPs", "of one image"),
        _share(LATENCY, "latency", "measured in turns with the unpruned network: no two runs need be the same"),
        Goal(
            LOSS,
            "loss",
            "NATS",
            "At most",
            "nats",
            f"A budget: the loss stays at most this, {BEYOND}.",
            "above 0 and finite: it is the largest mean loss",
            inf,
            operator.le,
        ),
        Goal(
            ACCURACY,
            "accuracy",
            "SHARE",
            "At least",
            "%",
            f"A budget: the accuracy (0 to 1) stays at least this, {BEYOND}.",
            "between 0 and 1: it is the least share of images that are right",
            holds=operator.ge,
        ),
    )
}


def check_goal(name: str, number: float) -> None:
    """Raise BadInput unless there is such a goal, and the number is one for it."""
    if name not in GOALS:
        known = ", ".join(f"{goal.name}={goal.number}" for goal in GOALS.values())
        raise BadInput(f"Unknown target '{name}'; known are {known}.")
    if not 0 < number < GOALS[name].below:
        raise BadInput(f"{name}={number:g} is not {GOALS[name].rule}.")


def spent(name: str, number: float, metrics: Metrics) -> str | None:
    """The clause that a state lies beyond a budget, "the accuracy is 0.9414"; None where it holds, or is no budget.

    Raises BadInput where nothing was measured that could be within it.
    """
    goal = GOALS[name]
    if goal.holds is None:
        return None
    found: float | None = getattr(metrics, name)
    if found is None:
        raise BadInput(f"A budget of {goal.title} takes images to measure it on, and there are none.")
    if goal.holds(found, number):
        return None
    return f"the {goal.title} is {found:.4f} on {metrics.images} validation images"


def check_fast_enough(network: Network, costs: Costs, share: float, limits: Limits, report: Report = silent) -> None:
    """Raise BadInput if even the smallest network that the limits allow is measured to be slower than this share."""
    whole = none_removed(network.units)
    smallest = prune(network, remove_all(costs.units, whole, torch.zeros(len(whole)), limits))
    if (left := latency_share(network, smallest, report=report)) > share:
        raise BadInput(
            f"{LATENCY}={share:g} can't be reached: with every layer at {limits}, {left:.3f} of the latency is left."
        )
