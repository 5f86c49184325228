"""The control of Figs 4 and 5: the same shape with half the parameters a layer, trained from random weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.core.progress import Report, one_of
from explorer.networks.costs import measure_costs
from explorer.networks.units import Units, none_removed
from explorer.runs.controls import control_of
from explorer.study.inputs import Finding, PartResult, Results, StudyInputs, seeds_in_words
from explorer.training.finetune import Training

SHARE_KEPT = 0.5**0.5  # of a layer's units: what it reads and what it writes both shrink, so its parameters halve


def halved(units: Units) -> Tensor:
    """(units,) bool: the plan that leaves half the parameters of a layer whose two sides shrink, 0.71 of the others."""
    removed = none_removed(units)
    for place in units.slices.values():
        removed[place.start + max(1, round(SHARE_KEPT * (place.stop - place.start))) : place.stop] = True
    return removed


def from_scratch(inputs: StudyInputs, done: Results, report: Report) -> PartResult:
    """Accuracy after training, one point a seed; none, with the reason, where the network can't be trained so."""
    preset = inputs.preset
    try:
        points = _points(inputs, report)
    except BadInput as problem:
        return PartResult({"points": []}, f"Not done on {inputs.validated}, {seeds_in_words(inputs.seeds)}: {problem}")
    recipe = preset.scratch_recipe
    setting = (
        f"Accuracy on {inputs.validated}, after {preset.scratch_updates} updates from random weights: "
        f"{recipe.optimizer.upper()}, learning rate {recipe.learning_rate:g}, minibatches of {recipe.batch_size}; "
        f"{seeds_in_words(inputs.seeds)}."
    )
    return PartResult({"points": points}, setting, [_finding(points, done)])


def _points(inputs: StudyInputs, report: Report) -> list[dict[str, Any]]:
    count = len(inputs.seeds)
    return [_trained(inputs, seed, one_of(report, i, count)) for i, seed in enumerate(inputs.seeds)]


def _trained(inputs: StudyInputs, seed: int, report: Report) -> dict[str, Any]:
    network, preset, whole = inputs.network, inputs.preset, measure_costs(inputs.network)
    removed, training = halved(network.units), Training(preset.scratch_recipe, seed)
    metrics = control_of(network, removed, inputs.splits, preset.scratch_updates, training, report).metrics
    shares = {
        "units": metrics.units / len(removed),
        "parameters": metrics.parameters / whole.parameters(),
        "flops": metrics.flops / whole.flops(),
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
        f"with {at:.0%} of the parameters: pruned by Taylor {pruned:.1%}, from scratch {own:.1%}",
        pruned > own,
    )
