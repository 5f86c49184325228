"""Endings: when the procedure is through, when it can't begin, and what it says of that."""

from __future__ import annotations

import torch
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.data import Splits
from explorer.evaluation.metrics import Metrics
from explorer.networks.costs import Costs
from explorer.pruning.goals import LATENCY
from explorer.pruning.limits import portions
from explorer.pruning.plan import remove_until, share_left
from explorer.pruning.settings import Settings


def check_images(settings: Settings, splits: Splits) -> None:
    """Raise BadInput if there are no images, and a setting takes some."""
    if not splits and (reads := settings.reads_images):
        raise BadInput(f"There are no images, and {reads} takes some.")


def check_reachable(costs: Costs, removed: Tensor, settings: Settings) -> None:
    """Raise BadInput if the floors of the layers stand above the target."""
    if settings.aim:
        equal = torch.zeros(len(removed))
        remove_until(costs, removed, equal, *settings.aim, settings.limits)


def check_within(settings: Settings, metrics: Metrics) -> None:
    """Raise BadInput if a budget is spent before the first step."""
    if problem := settings.spent(metrics):
        raise BadInput(f"The budget is spent before the first step: {problem}.")


def is_reached(costs: Costs, removed: Tensor, metrics: Metrics, settings: Settings) -> bool:
    """Whether a state is as small, or as fast, as was asked for; a budget is never reached, only spent."""
    if settings.aim:
        return share_left(costs, removed, settings.measure) <= settings.target
    return settings.measure == LATENCY and metrics.latency is not None and metrics.latency <= settings.target


def is_exhausted(costs: Costs, removed: Tensor, settings: Settings) -> bool:
    """Whether no unit can go any more."""
    return not portions(costs.units, removed, torch.zeros(len(removed)), settings.limits)


def ending(costs: Costs, removed: Tensor, metrics: Metrics, settings: Settings) -> str:
    """One sentence on why the procedure ended with this state."""
    goal = settings.goal.in_words(settings.target)
    if problem := settings.spent(metrics):
        return f"Ended by a budget: after the last step {problem}; the state before it is the result."
    if is_reached(costs, removed, metrics, settings):
        return f"Reached: {goal}."
    if settings.goal.holds:
        return f"The budget ({goal}) is not spent, but no unit can go any more: every layer is at {settings.limits}."
    return f"Not reached ({goal}): no unit can go any more, every layer is at {settings.limits}."
