"""Fig. 3: pruned by one precomputed ranking of the oracle, without fine-tuning or ranking anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.core.progress import Report, one_of
from explorer.evaluation.evaluate import evaluate
from explorer.evaluation.metrics import metrics_of
from explorer.networks.costs import measure_costs
from explorer.networks.surgery import prune
from explorer.networks.units import none_removed
from explorer.pruning.plan import remove_next
from explorer.study.inputs import Finding, PartResult, Results, StudyInputs, mean_accuracy

DEEPEST = 0.9  # share of the units gone at the last place


def one_shot(inputs: StudyInputs, done: Results, report: Report) -> PartResult:
    """Accuracy and loss against what is left, in the order of oracle-abs and of oracle-loss."""
    loss = torch.tensor(done["agreement"]["oracle_loss"], dtype=torch.float64)
    orders = {"oracle_abs": loss.abs(), "oracle_loss": loss}
    curves = {
        name: _curve(inputs, saliency, one_of(report, i, len(orders)))
        for i, (name, saliency) in enumerate(orders.items())
    }
    setting = f"Accuracy on {inputs.validated}; ranked on {inputs.calibrated}. Before fine-tuning, ranked once."
    return PartResult({"curves": curves}, setting, [_finding(curves)])


def _curve(inputs: StudyInputs, saliency: Tensor, report: Report) -> list[dict[str, Any]]:
    network, costs, points = inputs.network, measure_costs(inputs.network), []
    counts = np.unique(np.linspace(0, DEEPEST * len(network.units), inputs.preset.places).round().astype(int)).tolist()
    for place, count in enumerate(counts):
        report(place, len(counts), f"{count} units gone at once")
        removed = none_removed(network.units)
        if count:
            removed = remove_next(network.units, removed, saliency, count)
        points.append(vars(metrics_of(evaluate(prune(network, removed), inputs.splits["validation"]), costs, removed)))
    return points


def _finding(curves: Mapping[str, list[dict[str, Any]]]) -> Finding:
    whole = curves["oracle_abs"][0]["parameters"]
    sides = {name: [point["parameters"] / whole for point in points] for name, points in curves.items()}
    least = max(min(shares) for shares in sides.values())
    by_abs, by_loss = (
        mean_accuracy(sides[name], [point["accuracy"] for point in points], least) for name, points in curves.items()
    )
    return Finding(
        "Oracle-abs keeps a higher accuracy than oracle-loss.",
        f"mean accuracy over the curve {by_abs:.1%} against {by_loss:.1%}",
        by_abs > by_loss,
    )
