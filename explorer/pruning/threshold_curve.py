"""Sweep: a threshold moved over its whole range, with what goes at each place, predicted first and then measured.

This is the paper's one-shot curve (Fig. 3) against the threshold: nothing is fine-tuned on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from explorer.core.progress import Report, silent
from explorer.evaluation.evaluate import Outcome
from explorer.networks.units import Units
from explorer.pruning.plan import removed_by_lines
from explorer.scoring.linearise import Linearisation
from explorer.scoring.predict import predict

PLACES = 25  # thresholds that are predicted; every second one is measured as well


@dataclass(frozen=True)
class ThresholdPoint:
    """The units left, loss and accuracy at one threshold."""

    threshold: float  # a float32 number, in the saliency's unit
    units: int  # left
    loss: float  # nats
    accuracy: float  # 0 to 1


@dataclass(frozen=True)
class Curve:
    """The points so far, by ascending threshold."""

    predicted: tuple[ThresholdPoint, ...] = ()
    measured: tuple[ThresholdPoint, ...] = ()


@dataclass(frozen=True, eq=False)
class Sweep:
    """thresholds (places,) ascending; plans (places, units) bool: all that is gone at each of them."""

    thresholds: tuple[float, ...]
    plans: Tensor


def sweep_thresholds(
    units: Units,
    removed: Tensor,
    saliency: Tensor,
    needed: Tensor,
    lines: Mapping[str, float],
    moved: Collection[str],
) -> Sweep:
    """A threshold of the layers `moved` at evenly spaced ranks of their saliencies, while other lines stay.

    needed: (units,) from `explorer.pruning.plan.line_needed`. lines: layer name -> threshold of the layers that stay.
    """
    inside = torch.tensor([layer.name in moved for layer in units.layers])[units.layer_index]
    fixed = torch.tensor([lines.get(layer.name, -torch.inf) for layer in units.layers], dtype=torch.float64)
    values = np.sort(saliency[inside & ~removed].numpy().astype(np.float32))
    ranks = np.linspace(0, len(values) - 1, min(PLACES, len(values))).round().astype(int)
    thresholds = torch.from_numpy(np.unique(values[ranks])).double()
    drawn = torch.where(inside, thresholds[:, None], fixed[units.layer_index])
    return Sweep(tuple(thresholds.tolist()), removed | removed_by_lines(needed, drawn))


def trace_curve(
    found: Sweep,
    removed: Tensor,
    linearised: Linearisation | None,
    measure: Callable[[Tensor], Outcome],
    report: Report = silent,
) -> Iterator[Curve]:
    """The curve so far: all predictions at once, then one more measurement each time.

    linearised: at the gates that leave `removed` closed; without it nothing is predicted.
    """
    steps = list(zip(found.thresholds, found.plans, strict=True))
    measured = steps[::2] if len(steps) % 2 else [*steps[::2], steps[-1]]
    curve = Curve()
    if linearised is not None:
        curve = Curve(tuple(_point(at, plan, predict(linearised, plan & ~removed)) for at, plan in steps))
        yield curve
    for done, (at, plan) in enumerate(measured):
        report(done, len(measured), f"{done} of {len(measured)} thresholds")
        curve = replace(curve, measured=(*curve.measured, _point(at, plan, measure(plan))))
        yield curve


def _point(threshold: float, plan: Tensor, outcome: Outcome) -> ThresholdPoint:
    return ThresholdPoint(threshold, int((~plan).sum()), outcome.loss, outcome.accuracy)
