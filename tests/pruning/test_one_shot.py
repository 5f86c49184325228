"""The comparison of criteria against plain evaluation and arithmetic."""

from __future__ import annotations

import torch
from networks_at_hand import SHAPE, at_hand, images

from explorer.evaluation.evaluate import evaluate
from explorer.networks.costs import measure_costs
from explorer.pruning.one_shot import one_shot_curves, plan_down_to

NETWORK = at_hand("plain")  # layers of 5 and 6 units
COSTS, IMAGES = measure_costs(NETWORK), images(SHAPE)
RISING = torch.arange(11, dtype=torch.float64)


def test_every_point_is_the_gated_networks_outcome() -> None:
    rankings = {"rising": RISING, "falling": -RISING}
    *_, curves = one_shot_curves(NETWORK, COSTS, rankings, IMAGES, (1.0, 0.5))
    for name, saliency in rankings.items():
        for point, share in zip(curves[name], (1.0, 0.5), strict=True):
            plan = plan_down_to(COSTS, saliency, share)
            outcome = evaluate(NETWORK, IMAGES, plan)
            assert (point.loss, point.accuracy) == (outcome.loss, outcome.accuracy)
            assert point.units == int((~plan).sum())


def test_curves_advance_together_share_by_share() -> None:
    steps = list(one_shot_curves(NETWORK, COSTS, {"a": RISING, "b": -RISING}, IMAGES, (1.0, 0.6, 0.5)))
    assert [[len(points) for points in curves.values()] for curves in steps] == [[1, 1], [2, 2], [3, 3]]


def test_plans_leave_the_share_of_units_and_never_an_empty_layer() -> None:
    assert plan_down_to(COSTS, RISING, 0.8).nonzero()[:, 0].tolist() == [0, 1]
    assert int((~plan_down_to(COSTS, RISING, 0.01)).sum()) == 2
