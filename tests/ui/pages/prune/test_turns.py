"""Pruning and fine-tuning in turns, and the tree of states that comes of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from driving import App
from of_demo import UNITS

from explorer.core.errors import BadInput
from explorer.evaluation.evaluate import evaluate
from explorer.evaluation.metrics import metrics_of
from explorer.jobs.job import Job
from explorer.pruning import procedure
from explorer.runs import pruning_runs
from explorer.runs.store import Run, pruned_at, write_weights
from explorer.runs.timeline import removed_at
from explorer.ui.work import workspace
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.workspace import Source

Open = Callable[..., App]
Saved = Callable[[str], Run]
STEP = UNITS // 16


def begun(app: App, target: int = 80, **fields: object) -> Job:
    app.set("Down to, %", target)
    for label, value in ({"Units per step": STEP, "Updates per step": 2} | fields).items():
        app.set(label, value)
    app.click("Prune and fine-tune").fine()
    return JOBS.find(f"turns-{app.run}")


def ended(app: App) -> App:
    JOBS.find(f"turns-{app.run}").wait(60)
    return app.again()


def test_every_step_is_a_state_with_its_own_weights_that_can_be_gone_to(
    open_app: Open, saved: Saved, workdir: Path
) -> None:
    app = open_app("prune").click("Remove 10")
    begun(app)
    ended(app).fine()
    timeline = saved(app.run).timeline
    assert [len(state.removed) for state in timeline.states.values()] == [
        0,
        10,
        STEP,
        UNITS - 10 - STEP - int(0.8 * UNITS),
    ]
    assert [state.updates for state in timeline.states.values()] == [0, 0, 2, 2]
    assert timeline.current == 3 and "after 4 fine-tuning updates" in app.bar
    loaded, folder = workspace.open_workspace(Source()), workdir / "runs" / app.run
    for number, state in timeline.states.items():
        pruned = pruned_at(loaded.network, timeline, folder, number)
        found = metrics_of(
            evaluate(pruned, loaded.validation), loaded.costs, removed_at(timeline, loaded.network.units, number)
        )
        assert found == state.metrics or (state.updates == 0 and abs(found.loss - state.metrics.loss) < 1e-6)
    assert timeline.states[2].pruned.loss != timeline.states[2].metrics.loss
    app.click("Remove 1").fine()  # by gates, on the trained weights
    after = saved(app.run).timeline
    assert after.state.weights is None and after.state.parent == 3
    assert "pruned after 4 fine-tuning updates, not fine-tuned since" in app.bar
    app.go("export").click("Make and prove")
    JOBS.find(f"export-{app.run}-4").wait(60)
    assert "100.0% of the predictions agree" in app.again().fine().said


def test_back_and_forward_bring_numbers_back_bit_for_bit(open_app: Open, saved: Saved) -> None:
    app = open_app("prune")
    begun(app, 90)
    before = ended(app).facts
    assert app.click("Undo").facts["Units"] != before["Units"]
    assert app.click("Redo").facts == before
    states = saved(app.run).timeline.states
    assert app.click("Undo").click("Remove 1").fine()
    assert {n: s for n, s in saved(app.run).timeline.states.items() if n in states} == states


def test_it_can_be_paused_goes_on_and_is_cancelled(open_app: Open) -> None:
    app = open_app("prune")
    job = begun(app, 10, **{"Updates per step": 50})
    app.again().click("Pause")
    time.sleep(0.3)
    done = job.done
    time.sleep(0.5)
    assert (job.done, job.active, job.paused) == (done, True, True)
    assert "paused" in app.text
    app.click("Go on")
    deadline = time.monotonic() + 30
    while job.done == done and time.monotonic() < deadline:
        time.sleep(0.05)
    assert job.done > done
    job.cancel()
    ended(app)
    assert job.state == "cancelled" and "cancelled at" in app.said


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Each release lets the turns keep one more step; until then they stand still before it."""
    allowed, iterate = threading.Semaphore(0), procedure.iterate

    def steps(*given: Any) -> Iterator[procedure.PruningStep]:
        for step in iterate(*given):
            while not allowed.acquire(timeout=0.01):
                given[3](1, 4, "stands still")  # the report: pauses and cancels
            yield step

    monkeypatch.setattr(procedure, "iterate", steps)
    return allowed


def test_nobody_else_changes_a_run_that_turns_work_on_until_they_pause(
    open_app: Open, saved: Saved, passes: threading.Semaphore
) -> None:
    first = open_app("prune").click("Remove 10").click("Remove 1")
    behind = {
        button: open_app("prune", run=first.run)
        for button in ("Remove 1", "Undo", "Back", "Prune to this goal", "Delete it")
    }
    job, before = begun(first, 80), saved(first.run)
    for button, second in behind.items():  # drawn before the turns began
        second.click(button)
        assert "“In turns” " in second.said and "cancel it first" in second.said, button
        assert saved(first.run) == before
        assert not any(second.buttons[each] for each in behind), "now it knows"
    renamed = next(iter(behind.values())).set("Name of state 2", "mine").fine()
    assert saved(first.run).timeline.states[2].name == "mine" and "mine" in renamed.bar
    first.again().click("Pause").click("Back 2").click("Remove 1").fine()
    assert saved(first.run).timeline.current == 3 and not first.buttons["Delete it"]
    first.click("Go on")
    passes.release()
    job.wait(60, enough=lambda added: True)
    timeline = saved(first.run).timeline
    assert (timeline.current, timeline.states[4].parent) == (3, 2), "each goes on where they were"
    first.again().click("Cancel: In turns")
    assert "; 1 step was added, the run is at state 3." in ended(first).said


def test_turns_that_fail_say_what_they_have_added(
    open_app: Open, saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []

    def write(*given: object) -> str:
        if written:
            raise BadInput("The disk is full.")
        written.append(write_weights(*given))
        return written[0]

    monkeypatch.setattr(pruning_runs, "write_weights", write)
    app = open_app("prune").click("Remove 10")
    begun(app, 80)
    app = ended(app)
    assert "In turns: The disk is full. Until then, 1 step was added, the run is at state 2." in app.said
    app.click("Delete it")
    assert "Until then, 1 step was added, 1 of them deleted since, the run is at state 1." in app.said
    assert list(saved(app.run).timeline.states) == [0, 1]


def test_a_step_below_the_least_accuracy_is_the_last_and_nobody_goes_there(open_app: Open, saved: Saved) -> None:
    app = open_app("prune")
    begun(app, 10, **{"Units per step": 200, "Learning rate": 1e-5, "Least accuracy, %": 90.0})
    ended(app).fine()
    timeline = saved(app.run).timeline
    last = timeline.states[max(timeline.states)]
    assert last.metrics.accuracy < 0.9 <= timeline.state.metrics.accuracy
    assert timeline.current == last.parent


def test_a_target_that_is_not_reachable_is_refused_before_anything_starts(open_app: Open) -> None:
    app = open_app("prune").set("Down to, %", 1).click("Prune and fine-tune")
    assert "can't be reached" in app.said and JOBS.find(f"turns-{app.run}") is None


def test_where_no_unit_can_go_it_ends_with_that_sentence_and_adds_no_state(open_app: Open, saved: Saved) -> None:
    app = open_app("prune").set("of the", "accuracy").set("At least, %", 1.0).set("Minimum units per layer", 200)
    for label, value in {"Units per step": 40, "Updates per step": 2}.items():
        app.set(label, value)
    app.click("Prune and fine-tune").fine()
    assert "but no unit can go any more" in ended(app).said and "no step" not in app.said


def test_states_get_names_and_branches_go(open_app: Open, saved: Saved) -> None:
    app = open_app("prune").click("Remove 10").click("Remove 1").click("Back")
    box = next(box for box in app.test.text_input if box.label == "Name of state 1")
    box.set_value("ship this").run()
    assert saved(app.run).timeline.states[1].name == "ship this" and "ship this" in app.bar
    app.click("Delete it and all made from it").fine()
    timeline = saved(app.run).timeline
    assert (list(timeline.states), timeline.current) == ([0], 0)
    assert app.click("Remove 1").fine() and list(saved(app.run).timeline.states) == [0, 3]


def test_weights_of_a_deleted_branch_are_deleted(open_app: Open, workdir: Path) -> None:
    app = open_app("prune")
    begun(app, 90)
    ended(app)
    folder = workdir / "runs" / app.run
    kept = len(list(folder.glob("weights-*")))
    assert kept == 2
    app.click("Delete it")
    assert len(list(folder.glob("weights-*"))) == kept - 1
