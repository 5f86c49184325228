"""The race on the Compare page: begun, followed, stopped, gone on with, found again; and the next step from here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from driving import App
from of_demo import UNITS

from explorer.evaluation.evaluate import evaluate
from explorer.jobs.job import Job
from explorer.networks.units import none_removed
from explorer.runs.race_folders import read_race
from explorer.ui.work import workspace
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.workspace import Source

Open = Callable[..., App]
RACE, HERE = "Race with fine-tuning", "Next step from here"


@pytest.fixture
def racing(open_app: Open) -> Iterator[Callable[..., App]]:
    """Call with fields of the form: a tab in which a short race has begun."""

    def begin(**fields: object) -> App:
        app = open_app("compare").choose("How to compare", RACE).fine()
        short = {"Who races": ["weight", "random"], "Units per step": UNITS // 3, "Updates per step": 1, "Seeds": 2}
        for label, value in (short | {"Minibatch": 4} | fields).items():
            app.set(label, value)
        return app.click("Start the race").fine()

    yield begin
    for job in jobs():
        job.cancel()
        job.wait(30)
        JOBS.forget(job.key)


def jobs() -> list[Job]:
    return [job for key, job in list(JOBS._jobs.items()) if key.startswith("race-")]


def ended(app: App) -> App:
    (job,) = jobs()
    job.wait(120)
    return app.again()


def test_a_race_is_run_drawn_and_found_again_by_another_tab_after_a_restart(
    racing: Callable[..., App], open_app: Open, workdir: Path
) -> None:
    app = ended(racing()).fine()
    (folder,) = workdir.glob("races/*/*")
    kept = read_race(folder)
    assert [(lane.selector, lane.seed) for lane in kept.lanes] == [(s, n) for n in (0, 1) for s in ("weight", "random")]
    assert [point.metrics.units for point in kept.lanes[0].points] == [UNITS, UNITS - UNITS // 3, int(0.4 * UNITS)]
    for name in (
        "4 of 4 lanes finished",
        f"{workspace.VALIDATION} validation images",
        "1 update with SGD",
        "was reached; seed 0",
    ):
        assert name in app.text
    lines = [trace for trace in app.figure("race-curve")["data"] if trace["mode"] == "lines+markers"]
    assert [(line["name"], line["marker"]["symbol"]) for line in lines] == [("weight", "pentagon"), ("random", "x")]
    both = app.choose("fine-tuning", "both").fine().figure("race-curve")["data"]
    assert [line["marker"]["symbol"] for line in both if line["mode"] == "lines+markers"] == [
        "pentagon",
        "x",
        "pentagon-open",
        "x-open",
    ]
    (job,) = jobs()
    JOBS.forget(job.key)
    again = open_app("compare").choose("How to compare", RACE).fine()
    assert "4 of 4 lanes finished" in again.text and again.charts == 1
    assert not [label for label in again.buttons if label.startswith("Go on")]
    again.click("Discard this race").fine()
    assert not list(workdir.glob("races/*/*")) and "Choose the selectors that race" in again.said


def test_what_went_first_is_that_of_the_lanes(racing: Callable[..., App], workdir: Path) -> None:
    app = ended(racing(**{"Updates per step": 0, "Who races": ["weight", "linear_oracle"]})).fine()
    (folder,) = workdir.glob("races/*/*")
    lanes = read_race(folder).lanes
    assert [(lane.selector, lane.seed) for lane in lanes] == [("weight", 0), ("linear_oracle", 0)]
    gone = [layer for layer, _ in lanes[0].points[1].removed]
    first = app.test.table[1].value
    assert first["units by layer"][0] == ", ".join(f"{layer}: {gone.count(layer)}" for layer in dict.fromkeys(gone))
    assert first[""].tolist() == ["Weight", "Linearised oracle"] and "oracle's first 10%" not in first
    assert "would give the same: linear_oracle, weight" in app.text and "all before fine-tuning" in app.text
    quality = app.test.table[0].value
    assert quality["at most 75% of the units"][0] == f"{lanes[0].points[1].metrics.accuracy:.1%}"
    units = app.test.dataframe[0].value
    assert len(units) == UNITS - int(0.4 * UNITS) and units["Step"].tolist()[0] == 1


def test_a_cancelled_race_goes_on_with_the_lanes_that_are_missing(racing: Callable[..., App], workdir: Path) -> None:
    app = racing(**{"Units per step": UNITS // 8, "Updates per step": 3})
    (job,) = jobs()
    deadline = time.monotonic() + 60
    while len(job.partial or ()) < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    app.again().click("Cancel")
    ended(app).fine()
    assert job.state == "cancelled"
    (folder,) = workdir.glob("races/*/*")
    held = {path.name: path.read_bytes() for path in folder.glob("lane-*")}
    assert 1 <= len(held) < 4 and f"{len(held)} of 4 lanes finished" in app.text
    assert f"; {len(held)} finished lane{'s are' if len(held) > 1 else ' is'} kept." in app.said
    app.click(f"Go on: {4 - len(held)} lane")
    ended(app).fine()
    assert "4 of 4 lanes finished" in app.text
    assert {name: (folder / name).read_bytes() for name in held} == held


def test_a_race_that_cannot_be_run_says_why(open_app: Open) -> None:
    app = open_app("compare").choose("How to compare", RACE).set("Down to, % of the units", 1).click("Start the race")
    assert "units=0.01 can't be reached" in app.said and jobs() == []


def test_a_damaged_race_is_one_sentence(racing: Callable[..., App], workdir: Path) -> None:
    app = ended(racing())
    (folder,) = workdir.glob("races/*/*")
    (folder / "race.json").write_text("{")
    assert "race.json is damaged: it is not JSON" in app.again().said
    app.click("Discard this race").fine()
    assert not folder.exists()


def settled(app: App) -> Any:
    """The table of the next step, once nothing in it is pending."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        tables = app.again().fine().test.table
        if tables and not any("…" in column.tolist() for _, column in tables[0].value.items()):
            break
        time.sleep(0.25)
    return app.test.table[0].value


def test_the_next_step_is_predicted_and_measured_by_each_criterion(open_app: Open) -> None:
    app = open_app("prune").click("Remove 10").go("compare").choose("How to compare", HERE)
    app.set("Criteria", ["weight", "random", "joint"]).set("Units to go", 40).fine()
    table = settled(app)
    assert set(table[""]) == {"Weight", "Random", "Joint linearised"}
    losses = [float(text.split()[0]) for text in table["loss, measured"]]
    assert losses == sorted(losses)
    assert all(sum(int(part.split(": ")[1]) for part in row.split(", ")) == 40 for row in table["next to go, by layer"])
    assert table["loss, predicted"].tolist() != table["loss, measured"].tolist()
    assert f"From state 1: {UNITS - 10} units" in app.text and "Predicted: linearised" in app.text


def test_what_is_measured_of_the_next_step_is_what_the_engine_measures(open_app: Open) -> None:
    app = (
        open_app("compare")
        .choose("How to compare", HERE)
        .set("Criteria", ["weight"])
        .set("Units to go", UNITS // 2)
        .fine()
    )
    row = settled(app)
    loaded = workspace.open_workspace(Source())
    by_layer = dict(part.split(": ") for part in row["next to go, by layer"][0].split(", "))
    weights = [loaded.network.module.get_submodule(layer.name).weight for layer in loaded.network.units.layers]
    plan = none_removed(loaded.network.units)
    for layer, weight in zip(loaded.network.units.layers, weights, strict=True):
        order = weight.square().flatten(1).mean(1).argsort()
        plan[loaded.network.units.slices[layer.name]][order[: int(by_layer.get(layer.name, 0))]] = True
    outcome = evaluate(loaded.network, loaded.validation, plan)
    assert row["loss, measured"][0].startswith(f"{outcome.loss:.4f} (")
    assert row["accuracy, measured"][0] == f"{outcome.accuracy:.1%}"
