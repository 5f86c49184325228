"""The control of Figs 4 and 5: the same shape with half the parameters a layer, trained from random weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.core.progress import Report, one_of
from explorer.evaluation.evaluate import evaluate
from explorer.evaluation.metrics import metrics_of
from explorer.networks.costs import measure_costs
from explorer.networks.network import with_weights_of
from explorer.networks.surgery import prune
from explorer.networks.units import Units, nothing
from explorer.study.bench import Bench, Finding, Found, Results, said_seeds
from explorer.training.finetune import Training, minibatches, train
from explorer.training.scratch import fresh

KEPT = 0.5**0.5  # of a layer's units: what it reads and what it writes both shrink, so its parameters halve


def halved(units: Units) -> Tensor:
    """(units,) bool: the plan that leaves half the parameters of a layer whose two sides shrink, 0.71 of the others."""
    removed = nothing(units)
    for place in units.slices.values():
        removed[place.start + max(1, round(KEPT * (place.stop - place.start))) : place.stop] = True
    return removed


def from_scratch(bench: Bench, done: Results, report: Report) -> Found:
    """Accuracy after training, one point a seed; none, with the reason, where the network can't be trained so."""
    preset = bench.preset
    try:
        points = _points(bench, report)
    except BadInput as problem:
        return Found({"points": []}, f"Not done on {bench.validated}, {said_seeds(bench.seeds)}: {problem}")
    recipe = preset.scratch_recipe
    setting = (
        f"Accuracy on {bench.validated}, after {preset.scratch_updates} updates from random weights: "
        f"{recipe.optimizer.upper()}, learning rate {recipe.learning_rate:g}, minibatches of {recipe.batch_size}; "
        f"{said_seeds(bench.seeds)}."
    )
    return Found({"points": points}, setting, [_finding(points, done)])


def _points(bench: Bench, report: Report) -> list[dict[str, Any]]:
    count = len(bench.seeds)
    return [_trained(bench, seed, one_of(report, i, count)) for i, seed in enumerate(bench.seeds)]


def _trained(bench: Bench, seed: int, report: Report) -> dict[str, Any]:
    removed, preset = halved(bench.network.units), bench.preset
    start = fresh(prune(bench.network, removed), seed)
    stream = minibatches(bench.splits["finetune"], preset.scratch_recipe.batch_size, seed)
    training = Training(preset.scratch_recipe, seed, start.loss)
    module = train(start.module, stream, preset.scratch_updates, training, report)
    outcome = evaluate(with_weights_of(start, module), bench.splits["validation"])
    whole, metrics = measure_costs(bench.network), metrics_of(outcome, measure_costs(bench.network), removed)
    none = torch.zeros_like(removed)
    shares = {
        "units": metrics.units / len(removed),
        "parameters": metrics.parameters / whole.parameters(none),
        "flops": metrics.flops / whole.flops(none),
    }
    return {"seed": seed, "accuracy": metrics.accuracy, "loss": metrics.loss, **shares}


def _finding(points: list[dict[str, Any]], done: Results) -> Finding:
    line = next(line for line in done["race"]["lines"] if line["name"] == "taylor")
    own = float(np.median([point["accuracy"] for point in points]))
    at = points[0]["parameters"]
    order = np.argsort(line["parameters"])
    pruned = float(np.interp(at, np.array(line["parameters"])[order], np.array(line["after"]["median"])[order]))
    return Finding(
        "The pruned network is more accurate than one of that size trained from scratch.",
        f"with {at:.0%} of the parameters: pruned by Taylor {pruned:.1%}, from scratch {own:.1%}", pruned > own,
    )  # fmt: skip
