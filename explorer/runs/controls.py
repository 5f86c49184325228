"""Controls: the shape of a pruned network, trained from fresh weights, and its score."""

from __future__ import annotations

from dataclasses import asdict

from torch import Tensor

from explorer.core.progress import Report, silent, within
from explorer.data import Splits
from explorer.evaluation.evaluate import evaluate
from explorer.evaluation.metrics import metrics_of
from explorer.networks.costs import measure_costs
from explorer.networks.network import Network
from explorer.networks.surgery import prune
from explorer.runs.timeline import Scratch
from explorer.training.finetune import Training
from explorer.training.scratch import trained

MEASURED = 0.9  # share of the bar at which the training ends


def control_of(
    network: Network,
    removed: Tensor,
    splits: Splits,
    updates: int,
    training: Training,
    report: Report = silent,
) -> Scratch:
    """The network without the units of a plan (units,), trained on the finetune images from fresh weights.

    Measured on the validation images; the network as given is the teacher of a recipe that distils. Raises BadInput as
    `explorer.training.scratch.trained` does.
    """
    shape = prune(network, removed) if removed.any() else network
    of_training = within(report, 0, MEASURED)
    found = trained(shape, splits["finetune"], updates, training.taught_by(network), of_training)
    outcome = evaluate(found, splits["validation"], report=within(report, MEASURED, 1))
    metrics = metrics_of(outcome, measure_costs(network), removed)
    return Scratch(metrics, updates, {"recipe": asdict(training.recipe), "seed": training.seed})
