"""All at once on the Compare page: the joint choice beside the criteria."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driving import App
from of_demo import UNITS

from explorer.evaluation.evaluate import evaluate
from explorer.pruning import joint
from explorer.pruning.one_shot import plan_down_to
from explorer.ui.work import workspace
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.workspace import Source


def test_the_joint_choice_is_offered_and_goes_in_the_joint_order(open_app: Callable[..., App]) -> None:
    app = open_app("compare").set("Criteria", ["joint"]).fine().click("Compare these criteria")
    comparing = [job for job in JOBS._jobs.values() if job.label == "Comparing criteria"]
    for each in comparing:
        each.wait(60)
    (job,) = [each for each in comparing if set(each.result or ()) == {"joint"}]
    (line,) = [line for line in app.again().fine().figure("at-once")["data"] if line["name"] == "Joint linearised"]
    opened = workspace.open_workspace(Source())
    network = opened.network
    places = joint.ranking(network, opened.calibration, evaluate(network, opened.calibration).logits).places
    half = plan_down_to(opened.costs, places, 0.5)
    points = {metrics.units: metrics.accuracy for metrics in job.result["joint"]}
    assert list(points) == [UNITS - round(UNITS * gone / 10) for gone in range(9)] and line["x"]
    assert points[UNITS // 2] == pytest.approx(evaluate(network, opened.validation, half).accuracy)
