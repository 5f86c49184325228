"""What the pages show and say; the pictures themselves are tested as figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from driving import App
from of_demo import UNITS, WIDTHS

from explorer.core.errors import BadInput
from explorer.core.reports import MEMORY
from explorer.jobs.job import LONG, Job
from explorer.networks.units import none_removed
from explorer.runs.store import Run
from explorer.runs.timeline import removed_at
from explorer.scoring.criteria import CRITERIA
from explorer.scoring.ranking import GROUPS, correlate, measures
from explorer.ui.work import workspace
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.oracle_job import oracle, oracle_key
from explorer.ui.work.results import scoring_job
from explorer.ui.work.workspace import Source

RUN = "a-run-of-the-tests"
FEW = Source(seed=7)  # of the demo, opened with few calibration images
PICTURES = {
    "": 2,
    "draw": 0,
    "saliency": 1,
    "oracle": 1,
    "prune": 1,
    "compare": 0,
    "challenge": 0,
    "export": 1,
    "paper": 1,
}

LACKING = ("bn_scale",)  # the demo has no batch-norm

Open = Callable[..., App]


@pytest.mark.parametrize("page", PICTURES)
def test_every_page_opens_on_the_demo(open_app: Open, page: str) -> None:
    app = open_app(page).fine()
    assert app.charts == PICTURES[page]
    assert app.test.subheader


@pytest.mark.parametrize("page", PICTURES)
def test_every_page_opens_on_a_pruned_network(open_app: Open, page: str) -> None:
    app = open_app("prune").click("Prune to this goal").go(page).fine()
    assert app.facts["Units"] == str(UNITS // 2)
    assert app.charts == PICTURES[page]


def test_an_address_may_name_the_criterion(open_app: Open) -> None:
    assert "APoZ of every unit" in open_app("saliency", criterion="APoZ").fine().text


@pytest.mark.parametrize("criterion", [c for c in CRITERIA if c not in LACKING])
def test_every_criterion_has_distributions_and_a_next_step(open_app: Open, criterion: str) -> None:
    app = open_app("saliency").set("Criterion", criterion).fine()
    assert app.charts == 1
    app.go("prune").click("Remove 1").fine()
    assert app.facts["Units"] == str(UNITS - 1)


def test_criteria_that_the_network_has_nothing_for_are_not_offered(open_app: Open) -> None:
    (offered,) = (box.options for box in open_app("saliency").fine().test.selectbox if box.label == "Criterion")
    assert {CRITERIA[name].title for name in CRITERIA} - set(offered) == {CRITERIA[name].title for name in LACKING}


def test_units_can_be_ranked_anew_with_a_price_on_flops(open_app: Open) -> None:
    app = open_app("prune").click("Remove 10").set("Rank anew after every step", True).set("FLOPs penalty", 0.001)
    assert "FLOPs penalty 0.001" in app.fine().text and "the network as it is now" in app.text
    assert app.click("Remove 10").fine().facts["Units"] == str(UNITS - 20)


def measured(app: App) -> App:
    """The same page, once nothing is predicted any more."""
    for job in list(JOBS._jobs.values()):
        job.wait(60)
    return app.again().fine()


def test_a_threshold_says_what_would_go_and_removes_it(open_app: Open, saved: Callable[[str], Run]) -> None:
    app = open_app("saliency").fine()
    assert "Drag the line to the right" in app.said
    app.set("Exactly", 0.02).fine()
    measured(app)
    label = next(label for label in app.buttons if label.startswith("Remove "))
    count = int(label.split()[1])
    assert 0 < count < UNITS
    assert f"**{count} units would go.** Measured on {workspace.VALIDATION} validation images" in app.text
    table = app.test.table[0].value
    then = dict(zip(table[""], table["Measured"], strict=True))
    app.click(label).fine()
    assert app.facts == then
    assert app.facts["Units"] == str(UNITS - count)
    assert saved(app.run).timeline.state.how.startswith(f"{count} units below a threshold of Taylor")


def test_a_threshold_may_be_for_one_layer(open_app: Open, saved: Callable[[str], Run]) -> None:
    app = open_app("saliency").set("Threshold for", "features.2").set("Exactly", 0.5).fine()
    app.click("Remove ").fine()
    removed = saved(app.run).timeline.state.removed
    assert removed and {layer for layer, _ in removed} == {"features.2"}


def test_a_threshold_above_everything_leaves_each_layer_a_unit(open_app: Open) -> None:
    app = open_app("saliency").set("Exactly", 9.0).fine().click(f"Remove {UNITS - len(WIDTHS)} units").fine()
    assert app.facts["Units"] == str(len(WIDTHS))
    app.go("prune").click("Remove 1")
    assert "No unit can go: every layer is down to its floor of 1." in app.said
    assert app.facts["Units"] == str(len(WIDTHS))


def test_limits_hold_for_steps_targets_and_thresholds(open_app: Open, saved: Callable[[str], Run]) -> None:
    app = open_app("prune").set("Layers that stay whole", ["features.0"]).set("Widths in multiples of", 4)
    app.set("Minimum units per layer", 4).click("Remove 1").fine().click("Prune to this goal").fine()
    widths = kept(saved(app.run))
    assert widths["features.0"] == WIDTHS[0] and sum(widths.values()) <= UNITS // 2
    assert all(width % 4 == 0 and width >= 4 for width in widths.values())
    first = saved(app.run).timeline.states[1]
    assert first.how == "4 units by Taylor, layer-wise l2" and len(first.removed) == 4
    app.go("saliency").set("Exactly", 9.0).fine().click("Remove ").fine()
    assert set(kept(saved(app.run)).values()) == {WIDTHS[0], 4}


def kept(run: Run) -> dict[str, int]:
    """Layer -> width, at the run's current state of the demo."""
    units = workspace.open_workspace(Source()).network.units
    plan = removed_at(run.timeline, units)
    return {name: int((~part).sum()) for name, part in units.by_layer(plan).items()}


def test_a_target_below_the_floors_says_why_not(open_app: Open) -> None:
    app, least = open_app("prune").set("Down to, %", 1).click("Prune to this goal"), f"{len(WIDTHS) / UNITS:.2g}"
    assert not app.test.exception
    assert f"units=0.01 can't be reached: with every layer at its floor of 1, {least} of the units is left." in app.said
    assert app.facts["Units"] == str(UNITS)
    assert "can't be reached" not in app.again().said


def test_a_target_that_is_met_already_says_so(open_app: Open) -> None:
    app = open_app("prune").click("Prune to this goal").fine().click("Prune to this goal")
    assert "At most 50% of the units is left already: there is nothing to remove." in app.said
    assert app.facts["Units"] == str(UNITS // 2)


def test_compare_draws_a_curve_of_each_criterion(open_app: Open) -> None:
    app = open_app("compare").set("Criteria", ["weight", "random"]).click("Compare these criteria")
    for job in list(JOBS._jobs.values()):
        if job.label == "Comparing criteria":
            job.wait(60)
    assert app.again().fine().charts == 1
    assert "Compare these criteria" not in app.buttons


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch, write: Callable[..., Path]) -> Iterator[str]:
    """A run whose oracle is quick; the key of its job."""
    monkeypatch.setattr(workspace, "CALIBRATION", 8)
    workspace.open_workspace.clear()
    write(data={"source": "demo", "seed": FEW.seed})
    key = oracle_key(workspace.open_workspace(FEW))
    yield key
    if job := JOBS.find(key):
        job.cancel()
        job.wait(10)
        JOBS.forget(key)
    workspace.open_workspace.clear()


def test_the_oracle_runs_shows_its_ranks_and_is_kept(open_app: Open, few: str, workdir: Path) -> None:
    app = open_app("oracle", run=RUN).fine()
    assert f"{UNITS} units on 8 images. The first figures are estimates, and soon exact." in app.said
    assert app.charts == 1  # of the criterion that the oracle will be compared with
    app.click("Run all 8 images")
    JOBS.find(few).wait(60)
    assert app.again().fine().charts == 4
    assert "Run the oracle" not in app.buttons
    assert "On 8 calibration images of demo, seed 7" in app.text
    assert "Estimates" not in app.text
    JOBS.forget(few)  # as after a restart
    assert open_app("oracle", run=RUN).fine().charts == 4
    (kept,) = (workdir / "results").glob("oracle-*")
    kept.write_bytes(kept.read_bytes()[:100])
    assert f"{UNITS} units on 8 images" in open_app("oracle", run=RUN).fine().said


def test_the_oracle_stops_when_its_ranks_have_settled_and_goes_on_when_asked(
    open_app: Open, few: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace, "CALIBRATION", 64)
    workspace.open_workspace.clear()
    app = open_app("oracle", run=RUN).fine()
    app.click("Run the oracle")
    job = JOBS.find(few)
    job.wait(60)
    assert 8 <= job.result.images < 64
    app.again().fine()
    assert f"{job.result.images} of 64 images are exact, the others linearised" in app.text
    assert not {"Run the oracle", "Go on until the ranks settle"} & set(app.buttons)
    app.click("Go on to all 64 images")
    JOBS.find(few).wait(60)
    assert JOBS.find(few).result.whole
    assert "Estimates" not in app.again().fine().text
    assert app.buttons["Go on to 128 images"]


def test_every_measure_of_agreement_comes_with_intervals(open_app: Open, few: str) -> None:
    app = open_app("oracle", run=RUN).click("Run all 8 images")
    opened = workspace.open_workspace(FEW)
    scored = scoring_job(opened, none_removed(opened.network.units))
    for job in (scored, JOBS.find(few)):
        job.wait(60)
    app.again().fine()
    spread = JOBS.find(f"intervals-{opened.key}-l2")
    spread.wait(60)
    known = oracle(opened)
    values = correlate(scored.result.saliencies["taylor"], known.oracle_abs, known.units)
    for group in GROUPS:
        (table,) = (
            t for t in app.choose("Measure", group).fine().figure("correlation")["data"] if t["type"] == "heatmap"
        )
        said = table["customdata"][table["y"].index("Taylor")]
        for cell, measure in zip(said, (m for m in measures() if m.group == group), strict=True):
            low, high = spread.result["taylor"][measure.name]
            assert cell.startswith(f"<b>Taylor</b><br>{measure.column}: {values[measure.name]:.4f}")
            assert cell.endswith(f"95% of resampled images: {low:.3f} to {high:.3f}")


def held(job: Job) -> None:
    """Work that goes on until it is cancelled."""
    while True:
        job.report(1, 4, "64 of 256 images")
        job._stop.wait(0.01)


def submitted(key: str) -> Job:
    job = JOBS.submit(key, "The oracle of every unit", held, LONG)
    while job.done == 0:
        job.wait(0.02)
    return job


def test_a_running_oracle_can_be_cancelled_dismissed_and_started_again(open_app: Open, few: str) -> None:
    job = submitted(few)
    app = open_app("oracle", run=RUN).fine()
    assert app.buttons["Cancel: The oracle of every unit"] and "Run the oracle" not in app.buttons
    app.click("Cancel")
    job.wait(10)
    app.again()
    assert "The oracle of every unit: cancelled at 25%; nothing was changed." in app.said
    assert app.buttons["Run the oracle"] and app.buttons["Dismiss: The oracle of every unit"]
    assert "cancelled" not in app.click("Dismiss").said


def test_a_second_tab_sees_the_same_job(open_app: Open, few: str) -> None:
    submitted(few)
    button = "Cancel: The oracle of every unit"
    assert all(open_app("oracle", run=RUN).fine().buttons[button] for _ in range(2))


@pytest.mark.parametrize("problem", [BadInput("The images are too small."), RuntimeError("out of memory")])
def test_a_failed_job_says_what_went_wrong(open_app: Open, few: str, problem: Exception) -> None:
    def fail(job: Job) -> None:
        raise problem

    JOBS.submit(few, "The oracle of every unit", fail, LONG).wait(10)
    app = open_app("oracle", run=RUN)
    assert not app.test.exception
    told = problem if isinstance(problem, BadInput) else MEMORY
    assert f"The oracle of every unit: {told}" in app.said
    assert app.buttons["Run the oracle"]


def test_a_run_whose_id_has_two_underscores_opens_on_every_page(open_app: Open) -> None:
    for page in ("saliency", "prune"):
        app = open_app(page, run="one__two__three").fine()
        assert (app.run, app.facts["Units"]) == ("one__two__three", str(UNITS))
