"""To the end: the plans that lead from a state to the least that the limits allow, in equal steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import ceil

import torch
from torch import Tensor

from explorer.core.progress import Report, silent
from explorer.data import Splits
from explorer.evaluation.metrics import metrics_of
from explorer.networks.costs import Costs
from explorer.networks.network import Network
from explorer.networks.surgery import prune
from explorer.networks.units import Units, none_removed
from explorer.pruning import procedure
from explorer.pruning.limits import Limits
from explorer.pruning.plan import remove_all, remove_next, share_left
from explorer.pruning.settings import Settings


def smallest(units: Units, removed: Tensor, limits: Limits) -> Tensor:
    """A plan at the end of a way from `removed`: on any other as many units of each layer are gone."""
    return remove_all(units, removed, torch.zeros(len(units)), limits)


def milestones(units: Units, removed: Tensor, limits: Limits, steps: int) -> list[int]:
    """Units gone after each step that is left of so many equal ones from the whole network to the end; ascending.

    >>> from explorer.networks.units import Layer
    >>> units = Units((Layer("conv", tuple(range(11)), (), (), (), 11),), {})
    >>> milestones(units, none_removed(units), Limits(), 4)  # one stays
    [3, 5, 8, 10]
    >>> milestones(units, torch.arange(11) < 6, Limits(), 4)
    [8, 10]
    """
    end, now = int(smallest(units, none_removed(units), limits).sum()), int(removed.sum())
    last = int(smallest(units, removed, limits).sum())
    found = {min(last, ceil(end * step / steps)) for step in range(1, steps + 1)}
    return sorted(count for count in found | {last} if count > now)


def plans_by(
    units: Units, removed: Tensor, saliency_at: Callable[[Tensor], Tensor], counts: Sequence[int], limits: Limits
) -> Iterator[Tensor]:
    """Plan after plan, each with the least important units more gone until so many are, or more in portions.

    saliency_at: plan -> (units,), what the units left at it are ranked by.
    """
    for count in counts:
        if (more := count - int(removed.sum())) > 0:
            removed = remove_next(units, removed, saliency_at(removed), more, limits)
            yield removed


def plans_anew(
    network: Network, costs: Costs, splits: Splits, removed: Tensor, settings: Settings, report: Report = silent
) -> Iterator[Tensor]:
    """The same by the procedure, which ranks the network anew before each step. network: in its whole shape.

    splits: without validation images, as nothing is measured here.
    """
    least = smallest(costs.units, removed, settings.limits)
    if not (least & ~removed).any():
        return
    towards = replace(settings, measure="units", target=share_left(costs, least, "units"))
    now = prune(network, removed) if removed.any() else network
    start = procedure.PruningStep(0, now, removed, metrics_of(None, costs, removed))
    for step in procedure.iterate(network, splits, towards, report, start):
        yield step.removed
