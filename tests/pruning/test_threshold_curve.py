"""The sweep of a threshold: which plans it goes through, and its points against direct evaluation and prediction."""

from __future__ import annotations

import pytest
import torch
from networks_at_hand import SHAPE, at_hand, images

from explorer.core.errors import BadInput
from explorer.evaluation.evaluate import evaluate
from explorer.networks.units import none_removed
from explorer.pruning.limits import NO_LIMITS, with_units_chosen
from explorer.pruning.plan import below_thresholds, line_needed
from explorer.pruning.threshold_curve import PLACES, Curve, sweep_thresholds, trace_curve
from explorer.scoring.predict import linearise_all, predict

NETWORK = at_hand("plain")
UNITS = NETWORK.units  # layers "0" with 5 units and "3" with 6
SALIENCY = torch.arange(11, dtype=torch.float64) / 8  # float32 numbers
IMAGES = images(SHAPE, n=10, size=4)


@pytest.mark.parametrize("limits", [NO_LIMITS, with_units_chosen(UNITS, {"0": (1,)}, {"3": (5,)})])
def test_each_plan_is_that_of_its_threshold_while_other_lines_stay(limits) -> None:
    removed = none_removed(UNITS)
    removed[2] = True
    found = sweep_thresholds(
        UNITS, removed, SALIENCY, line_needed(UNITS, removed, SALIENCY, limits), {"0": 9.0, "3": 0.8}, {"0"}
    )
    assert found.thresholds == (0, 1 / 8, 3 / 8, 4 / 8)
    for threshold, plan in zip(found.thresholds, found.plans, strict=True):
        assert torch.equal(plan, below_thresholds(UNITS, removed, SALIENCY, {"0": threshold, "3": 0.8}, limits))


def test_many_units_are_swept_at_evenly_spaced_ranks() -> None:
    units = at_hand("fire").units
    saliency = torch.rand(len(units), generator=torch.Generator().manual_seed(0)).double()
    found = sweep_thresholds(
        units, none_removed(units), saliency, line_needed(units, none_removed(units), saliency), {}, set(units.slices)
    )
    assert len(found.thresholds) == min(PLACES, len(units))
    assert found.thresholds[0] == float(saliency.float().min()) and not found.plans[0].any()
    assert found.thresholds[-1] == float(saliency.float().max())
    assert (found.plans.sum(1).diff() >= 0).all()


def test_points_are_predicted_first_and_then_measured_one_by_one() -> None:
    whole = none_removed(UNITS)
    found = sweep_thresholds(UNITS, whole, SALIENCY, line_needed(UNITS, whole, SALIENCY), {}, {"0", "3"})
    linear = linearise_all(NETWORK, IMAGES)
    curves = list(trace_curve(found, whole, linear, lambda plan: evaluate(NETWORK, IMAGES, plan)))
    assert [len(curve.measured) for curve in curves] == [0, 1, 2, 3, 4, 5, 6]
    assert all(curve.predicted == curves[0].predicted for curve in curves)
    last = curves[-1]
    assert [point.threshold for point in last.predicted] == list(found.thresholds)
    assert [point.threshold for point in last.measured] == list(found.thresholds[::2])
    for points, outcome_of in (
        (last.predicted, lambda plan: predict(linear, plan)),
        (last.measured, lambda plan: evaluate(NETWORK, IMAGES, plan)),
    ):
        for point in points:
            plan = found.plans[found.thresholds.index(point.threshold)]
            outcome = outcome_of(plan)
            assert (point.units, point.accuracy) == (int((~plan).sum()), outcome.accuracy)
            assert point.loss == pytest.approx(outcome.loss)


def test_without_a_linearisation_nothing_is_predicted_and_the_last_threshold_is_always_measured() -> None:
    whole = none_removed(UNITS)
    found = sweep_thresholds(UNITS, whole, SALIENCY, line_needed(UNITS, whole, SALIENCY), {}, {"3"})  # 6 thresholds
    *_, last = trace_curve(found, whole, None, lambda plan: evaluate(NETWORK, IMAGES, plan))
    assert last.predicted == ()
    assert [point.threshold for point in last.measured] == [found.thresholds[place] for place in (0, 2, 4, 5)]


def test_a_stop_ends_it_between_two_measurements() -> None:
    whole, done = none_removed(UNITS), []

    def report(count: int, total: int, note: str = "") -> None:
        if count == 2:
            raise BadInput("stopped")

    found = sweep_thresholds(UNITS, whole, SALIENCY, line_needed(UNITS, whole, SALIENCY), {}, {"0", "3"})
    with pytest.raises(BadInput, match="stopped"):
        for curve in trace_curve(found, whole, None, lambda plan: evaluate(NETWORK, IMAGES, plan), report):
            done.append(curve)
    assert [len(curve.measured) for curve in done] == [1, 2] and Curve() not in done
