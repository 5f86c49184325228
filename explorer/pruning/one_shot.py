"""Comparison: criteria on equal terms. Same network, same images, same numbers of units removed at once.

Every figure here is before fine-tuning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from torch import Tensor

from explorer.core.progress import Report, silent
from explorer.data import Batches
from explorer.evaluation.evaluate import evaluate
from explorer.evaluation.metrics import Metrics, metrics_of
from explorer.networks.costs import Costs
from explorer.networks.network import Network
from explorer.networks.units import none_removed
from explorer.pruning.plan import remove_next

SHARES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2)  # of the units, left

Curves = dict[str, list[Metrics]]


def one_shot_curves(
    network: Network,
    costs: Costs,
    rankings: Mapping[str, Tensor],
    validation: Batches,
    shares: Sequence[float] = SHARES,
    report: Report = silent,
) -> Iterator[Curves]:
    """The curves so far, after each plan measured: name of the ranking -> metrics at each share of the units left.

    rankings: name -> scaled saliencies (units,). All curves advance together, share by share.
    """
    curves: Curves = {name: [] for name in rankings}
    done = 0
    for share in shares:
        for name, saliency in rankings.items():
            plan = plan_down_to(costs, saliency, share)
            curves[name].append(metrics_of(evaluate(network, validation, plan), costs, plan))
            done += 1
            report(done, len(shares) * len(rankings), f"{share:.0%} of the units left")
        yield {name: list(points) for name, points in curves.items()}


def plan_down_to(costs: Costs, saliency: Tensor, share: float) -> Tensor:
    """The plan that leaves this share of the units, rounded, or what the floors of the layers allow."""
    plan = none_removed(costs.units)
    count = len(plan) - round(share * len(plan))
    return remove_next(costs.units, plan, saliency, count) if count else plan
