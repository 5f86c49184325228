"""Spared: how much of a network can go at once while it stays nearly as good."""

from __future__ import annotations

from torch import Tensor

from explorer.core.progress import Report, silent
from explorer.data import Batches
from explorer.evaluation.evaluate import evaluate
from explorer.evaluation.metrics import Metrics, metrics_of
from explorer.networks.costs import Costs
from explorer.networks.network import Network
from explorer.networks.units import none_removed
from explorer.pruning.goals import ACCURACY
from explorer.pruning.search import Search, furthest


def spared(
    network: Network,
    costs: Costs,
    validation: Batches,
    saliency: Tensor,
    accuracy: float,
    report: Report = silent,
) -> Metrics:
    """The metrics of the furthest plan that a bisection of a ranking finds at this accuracy or more, unless fine-tuned.

    saliency: (units,), higher = keep. Raises BadInput where not one unit can go so.
    """
    search = Search(network, network, costs, validation, none_removed(network.units), saliency, report=report)
    plan = furthest(search, ACCURACY, accuracy).removed
    return metrics_of(evaluate(network, validation, plan), costs, plan)
