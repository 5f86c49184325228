"""Steps, and the run that remembers them: reloads, tabs, and run files that are damaged."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from driving import App
from of_demo import UNITS

from explorer.runs.store import Run

RUN = "a-run-of-the-tests"
Open = Callable[..., App]
Saved = Callable[[str], Run]
Write = Callable[..., Path]


def test_a_fresh_tab_shows_the_demo_as_loaded(open_app: Open, workdir: Path) -> None:
    app = open_app().fine()
    assert "demo" in app.bar and "state 0 of 0: as loaded" in app.bar
    assert app.facts["Units"] == str(UNITS)
    assert (app.buttons["Undo"], app.buttons["Redo"]) == (False, False)
    assert re.fullmatch(r"[0-9a-f]{16}", app.run)
    assert not (workdir / "runs").exists()


def test_removing_one_and_ten_and_down_to_a_target(open_app: Open, saved: Saved) -> None:
    app = open_app("prune").click("Remove 1").fine()
    assert app.facts["Units"] == str(UNITS - 1)
    app.click("Remove 10").fine()
    assert app.facts["Units"] == str(UNITS - 11)
    app.click("Prune to this goal").fine()
    assert app.facts["Units"] == str(UNITS // 2)
    timeline = saved(app.run).timeline
    states = timeline.states.values()
    assert [len(state.removed) for state in states] == [0, 1, 10, UNITS - UNITS // 2 - 11]
    assert [state.parent for state in states] == [None, 0, 1, 2]
    assert len({unit for state in states for unit in state.removed}) == UNITS // 2
    assert timeline.state.how == "down to 50 % of the units by Taylor, layer-wise l2"


@pytest.mark.parametrize("measure", ["params", "flops"])
def test_a_target_of_parameters_or_flops(open_app: Open, saved: Saved, measure: str) -> None:
    app = open_app("prune").set("of the", measure).set("Down to, %", 60).click("Prune to this goal").fine()
    timeline = saved(app.run).timeline
    attribute = {"params": "parameters", "flops": "flops"}[measure]
    assert getattr(timeline.state.metrics, attribute) <= 0.6 * getattr(timeline.root.metrics, attribute)


def test_back_undo_and_redo_bring_the_numbers_back_exactly(open_app: Open) -> None:
    app = open_app("prune")
    seen = [app.facts]
    for _ in range(3):
        seen.append(app.click("Remove 10").fine().facts)
    assert len({str(facts) for facts in seen}) == 4
    assert app.click("Back 2").facts == seen[1]
    assert app.click("Redo").facts == seen[2]
    assert app.click("Undo").facts == seen[1]
    assert app.click("Undo").facts == seen[0]
    assert (app.buttons["Undo"], app.buttons["Redo"], app.buttons["Back"]) == (False, True, False)
    for facts in seen[1:]:
        assert app.click("Redo").facts == facts
    assert not app.buttons["Redo"]


def test_a_branch_loses_nothing(open_app: Open, saved: Saved) -> None:
    app = open_app("prune").click("Remove 10").click("Back").click("Remove 1").fine()
    timeline = saved(app.run).timeline
    assert [(state.parent, len(state.removed)) for state in timeline.states.values()] == [(None, 0), (0, 10), (0, 1)]
    assert app.test.dataframe[0].value["State"].tolist() == ["0", "1", "→ 2"]


def test_a_reload_finds_the_state(open_app: Open) -> None:
    app = open_app("prune").click("Remove 10").click("Remove 1").click("Back")
    again = open_app("prune", run=app.run).fine()
    assert (again.facts, again.bar) == (app.facts, app.bar)
    assert again.buttons["Redo"]


def test_two_tabs_of_one_run_see_the_same(open_app: Open) -> None:
    first = open_app("prune").click("Remove 1")
    second = open_app("prune", run=first.run).click("Remove 10")
    assert first.again().facts == second.facts
    assert first.facts["Units"] == str(UNITS - 11)


def test_a_click_in_a_tab_that_is_behind_goes_where_it_said_or_says_what_has_changed(open_app: Open) -> None:
    first = open_app("prune").click("Remove 1")
    second = open_app("prune", run=first.run)
    first.click("Remove 10")
    assert second.click("Remove 1").fine().facts["Units"] == first.facts["Units"]
    assert "Not done, because the run has gone on to state 2 meanwhile" in second.said
    first.click("Remove 10")
    assert "state 0 of 3" in second.click("Back 2").fine().bar  # of state 2, which it showed
    assert not second.said


def test_two_runs_do_not_touch_each_other(open_app: Open) -> None:
    first, second = open_app("prune"), open_app("prune")
    assert first.run != second.run
    first.click("Remove 10")
    assert second.again().facts["Units"] == str(UNITS)


def test_an_address_of_a_run_that_is_not_there_shows_the_demo(open_app: Open) -> None:
    app = open_app(run="never-seen-before").fine()
    assert app.run == "never-seen-before"
    assert app.facts["Units"] == str(UNITS)
    assert not app.test.warning


@pytest.mark.parametrize("run", ["../../elsewhere", "short", "x" * 41, "a b c d e f", "<script>alert(1)</script>"])
def test_an_address_that_names_no_run_gets_a_fresh_one(open_app: Open, workdir: Path, run: str) -> None:
    app = open_app("prune", run=run).click("Remove 1").fine()
    assert app.run != run
    assert [folder.name for folder in (workdir / "runs").iterdir()] == [app.run]
    assert not (workdir.parent / "elsewhere").exists()


DEMO = {"source": "demo", "name": "demo", "arch": None}
METRICS = {"loss": 0.1, "accuracy": 0.9, "images": 9, "units": 9, "parameters": 9, "flops": 9}
ROOT = {"parent": None, "removed": [], "how": "as loaded", "metrics": METRICS} | {
    "pruned": None,
    "updates": 0,
    "weights": None,
    "settings": {},
    "name": "",
}
AT = {"current": 0, "tip": 0, "made": 2}
DAMAGED: dict[str, tuple[dict, str]] = {
    "not JSON": ({"content": b"{"}, "is not JSON"),
    "another format": ({"format": "else"}, "not in the format"),
    "no source": ({"network": {}}, "does not say which network"),
    "seed is text": ({"data": {"source": "demo", "seed": "x"}}, "does not say which network"),
    "seed is infinite": ({"data": {"source": "demo", "seed": float("inf")}}, "does not say which network"),
    "seed below 0": ({"data": {"source": "demo", "seed": -1}}, "seed is -1"),
    "upload is gone": ({"network": {**DEMO, "source": "ab" * 32, "name": "mine.pt"}}, "mine.pt is no longer"),
    "path as upload": ({"network": {**DEMO, "source": "../../secret"}}, "names an upload that can't exist"),
    "images are gone": ({"data": {"source": "/nowhere", "seed": 0}}, "'/nowhere' does not exist"),
    "no states": ({"timeline": AT | {"states": {}}}, "there is no state 0"),
    "text in the plan": (
        {"timeline": AT | {"states": {"0": {**ROOT, "removed": ["a"]}}}},
        "its timeline: it lacks parts",
    ),
    "another network's plan": (
        {"timeline": AT | {"current": 1, "states": {"0": ROOT, "1": {**ROOT, "parent": 0, "removed": [["x", 9]]}}}},
        "another network",
    ),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_run_says_so_and_gives_way_to_the_demo(open_app: Open, write: Write, name: str) -> None:
    parts, words = DAMAGED[name]
    path = write(**parts)
    before = path.read_bytes()
    app = open_app("prune", run=RUN)
    assert not app.test.exception
    app = open_app(run=RUN).fine()
    assert words in app.said and "The demo is shown instead" in app.said
    assert app.facts["Units"] == str(UNITS)
    assert app.run != RUN
    app.go("prune").click("Remove 1").fine()
    assert path.read_bytes() == before


def test_a_run_whose_file_is_damaged_while_it_is_open(open_app: Open, workdir: Path) -> None:
    app = open_app("prune").click("Remove 1")
    (workdir / "runs" / app.run / "run.json").write_bytes(b"")
    app.click("Remove 1")
    assert not app.test.exception
    assert "is not JSON" in app.said


def test_undo_in_a_run_whose_file_is_damaged_while_it_is_open(open_app: Open, workdir: Path) -> None:
    app = open_app("prune").click("Remove 1")
    (workdir / "runs" / app.run / "run.json").write_bytes(b"")
    app.click("Undo")
    assert not app.test.exception
    assert "is not JSON" in app.said


def test_a_work_folder_that_can_not_be_written_says_so(
    open_app: Open, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workdir / "file").write_text("")
    monkeypatch.setenv("PRUNING_EXPLORER_WORKDIR", str(workdir / "file"))
    app = open_app("prune").click("Remove 1")
    assert not app.test.exception
    assert "can't be written" in app.said
    assert app.facts["Units"] == str(UNITS)
