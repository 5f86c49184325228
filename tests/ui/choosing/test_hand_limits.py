"""The Saliency page's own work: several lines at once, locks, units chosen by hand, and the curve behind the handle."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from driving import App
from of_demo import UNITS, WIDTHS
from torch import Tensor

from explorer.evaluation.evaluate import evaluate
from explorer.jobs.job import Job
from explorer.networks.units import Label, newly_removed, none_removed
from explorer.runs.store import Run
from explorer.runs.timeline import removed_at
from explorer.ui.pages.saliency import units_by_hand
from explorer.ui.work import workspace
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.joint_jobs import linearising_job
from explorer.ui.work.workspace import Source

Open = Callable[..., App]
Saved = Callable[[str], Run]


def kept(run: Run) -> dict[str, int]:
    """Layer -> width, at the run's current state of the demo."""
    units = workspace.open_workspace(Source()).network.units
    plan = removed_at(run.timeline, units)
    return {name: int((~part).sum()) for name, part in units.by_layer(plan).items()}


def labels(plan: Tensor) -> tuple[Label, ...]:
    units = workspace.open_workspace(Source()).network.units
    return newly_removed(units, none_removed(units), plan)


def choose(app: App, stay: dict | None = None, go: dict | None = None, locked: list | None = None) -> App:
    """What clicks on the map do to the tab."""
    state = app.test.session_state
    state[f"chosen-{app.run}"] = {"stay": stay or {}, "go": go or {}, "stamp": 1}
    state[f"kept-{app.run}"] = locked or []
    return app.again().fine()


def line(app: App, layer: str, value: float) -> App:
    return app.set("Threshold for", layer).set("Exactly", value).fine()


def test_lines_of_several_layers_hold_together(open_app: Open, saved: Saved) -> None:
    app = open_app("saliency").fine()
    line(app, "features.2", 9.0)
    line(app, "features.5", 9.0)
    line(app, "all layers", 0.001)
    assert "Lines of their own: features.2 at 9, features.5 at 9." in app.text
    app.set("Threshold for", "features.2").fine().click("Back to the common line").fine()
    assert "Lines of their own: features.5 at 9." in app.text
    app.go("prune").go("saliency").fine().click("Remove ").fine()
    widths = kept(saved(app.run))
    assert widths["features.5"] == 1 and 1 < widths["features.2"] < WIDTHS[1]
    assert saved(app.run).timeline.state.removed == labels(expected(0.001, {"features.5": 9.0}))


def expected(common: float, own: dict[str, float]) -> Tensor:
    """Units below their lines, by Taylor with l2, without anything of the page."""
    from explorer.pruning.plan import below_thresholds
    from explorer.scoring.criteria import CRITERIA
    from explorer.scoring.evidence import gather
    from explorer.scoring.ranking import scaled

    opened = workspace.open_workspace(Source())
    units = opened.network.units
    taylor = CRITERIA["taylor"]
    found = scaled(taylor.saliency(gather(opened.network, opened.calibration, taylor.needs)), units, "l2")
    lines = {layer.name: own.get(layer.name, common) for layer in units.layers}
    return below_thresholds(units, none_removed(units), found.float().double(), lines)


def test_all_own_lines_are_taken_back_at_once(open_app: Open) -> None:
    app = open_app("saliency").fine()
    for layer in ("features.0", "features.2", "features.5", "features.7", "features.10", "features.12"):
        line(app, layer, 0.01)
    app.set("Threshold for", "all layers").fine()
    assert "Every layer has a line of its own" in app.said
    app.click("One line for all layers").fine()
    assert "Drag the line to the right" in app.said
    assert "Lines of their own" not in app.text


def test_locked_layers_and_chosen_units_hold_on_both_pages_and_are_cleared(open_app: Open, saved: Saved) -> None:
    app = choose(open_app("saliency"), {"features.0": (3,)}, {"features.5": (7, 9)}, ["features.2"])
    assert "**2 units would go.**" in app.text
    assert "By hand: 1 layer locked, 1 unit chosen to stay, 2 units chosen to go." in app.text
    line(app, "all layers", 9.0)
    assert (
        f"**{UNITS - WIDTHS[1] - 5} units would go.**" in app.text
    )  # all but one a layer, and those of the locked one
    assert f"{WIDTHS[1] + 5} units below a line stay: 1 layer locked" in app.said
    app.go("prune").fine().click("Remove 1").fine()
    state = saved(app.run).timeline.state
    assert state.removed[0] in (("features.5", 7), ("features.5", 9))
    app.set("Down to, %", 20).click("Prune to this goal").fine()
    run = saved(app.run)
    widths, removed = kept(run), {label for state in run.timeline.states.values() for label in state.removed}
    assert widths["features.2"] == WIDTHS[1] and ("features.0", 3) not in removed
    assert {("features.5", 7), ("features.5", 9)} <= removed
    app.go("saliency").fine().click("Clear").fine()
    assert "By hand" not in app.text
    app.set("Exactly", 9.0).fine().click("Remove ").fine()
    assert set(kept(saved(app.run)).values()) == {1}


def test_a_step_says_what_of_it_was_by_hand(open_app: Open, saved: Saved) -> None:
    app = choose(open_app("saliency"), go={"features.5": (7, 9)}).click("Remove 2 units").fine()
    assert saved(app.run).timeline.state.how == "2 units below a threshold of Taylor, layer-wise l2, 2 of them by hand"
    assert saved(app.run).timeline.state.removed == (("features.5", 7), ("features.5", 9))


def test_the_last_unit_of_a_layer_never_goes_and_the_page_says_why(open_app: Open) -> None:
    app = choose(
        open_app("saliency"), go={"features.0": tuple(range(WIDTHS[0])), "features.2": (0,)}, locked=["features.2"]
    )
    assert f"**{WIDTHS[0] - 1} units would go.**" in app.text
    (said,) = (box.value for box in app.test.warning)
    assert said == (
        "Chosen to go, and staying: 1 of features.0, which is down to its floor of 1; "
        "1 of features.2, which stays whole."
    )


def test_a_line_over_locked_layers_alone_says_why_nothing_goes(open_app: Open) -> None:
    app = choose(open_app("saliency"), locked=["features.2"])
    line(app, "features.2", 9.0)
    assert f"{WIDTHS[1]} units below a line stay: 1 layer locked." in app.said
    assert not [label for label in app.buttons if label.startswith("Remove ")]


def ended(app: App) -> Job:
    """The job of the tab's curve; begun again where it was still on its way out for another tab."""
    for _ in range(3):
        job = JOBS.find(app.test.session_state["one-shot-latest"])
        job.wait(60)
        if job.state == "done":
            return job
        app.again().fine()
    raise AssertionError(f"the curve's job is {job.state}: {job.error}")


def test_the_curve_is_predicted_and_measured_where_the_handle_can_go(open_app: Open) -> None:
    app = open_app("saliency").fine()
    curve = ended(app).result
    opened = workspace.open_workspace(Source())
    linear = linearising_job(opened, none_removed(opened.network.units)).result
    assert linear is not None and len(curve.predicted) > len(curve.measured) >= 12
    assert {point.threshold for point in curve.measured} <= {point.threshold for point in curve.predicted}
    assert curve.measured[0].units == UNITS and curve.measured[-1].units < 20
    point = curve.measured[6]
    plan = expected(point.threshold, {})
    outcome = evaluate(opened.network, opened.validation, plan)
    assert (point.units, point.accuracy) == (int((~plan).sum()), outcome.accuracy)
    assert point.loss == pytest.approx(outcome.loss, rel=1e-5)
    assert "Stop measuring the curve" not in app.again().fine().buttons


def test_a_curve_can_be_stopped_and_goes_on(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*arguments):
        for _ in range(1000):
            arguments[-1](0, 1)
            torch.rand(1)
            JOBS.find(latest())._stop.wait(0.02)

    def latest() -> str:
        return next(
            key for key, job in JOBS._jobs.items() if job.label == "Measuring the one-shot curve" and job.active
        )

    monkeypatch.setattr("explorer.ui.pages.saliency.one_shot.evaluate", slow)
    app = choose(open_app("saliency"), {"features.0": (1, 2)})  # plans that no other test has measured
    app.set("Scale per layer", "rank").fine().click("Stop measuring the curve")
    job = JOBS.find(app.test.session_state["one-shot-latest"])
    job.wait(30)
    assert job.state == "cancelled"
    app.again().fine()
    assert "Measure the curve" in app.buttons
    monkeypatch.undo()
    app.click("Measure the curve").fine()
    again = JOBS.find(job.key)
    again.wait(60)
    assert again is not job and again.state == "done"


def test_another_ranking_ends_the_curve_that_nobody_looks_at(open_app: Open) -> None:
    app = open_app("saliency").fine()
    app.set("Scale per layer", "standard").fine()
    first = JOBS.find(app.test.session_state["one-shot-latest"])
    app.set("Scale per layer", "max").fine()
    assert app.test.session_state["one-shot-latest"] != first.key
    first.wait(60)
    assert first.state in ("cancelled", "done")
    assert not first.active


def test_large_networks_show_the_cells_of_one_layer(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units_by_hand, "MAX_CELLS", 100)
    app = open_app("saliency").fine()
    assert "Click a layer's name to see its units." in app.text
    assert "Click a layer's name" not in app.set("Threshold for", "features.2").fine().text
