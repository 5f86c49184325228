"""A walk through every action in every state of a run and of its jobs: all places say what the run's JSON says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from driving import App
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from told import Told, check_command, check_export, check_prune, check_saliency

from explorer import open_network
from explorer.core.errors import BadInput
from explorer.core.progress import Report
from explorer.jobs.job import Job
from explorer.networks.graph.safetensors_file import write_network
from explorer.networks.surgery import prune
from explorer.networks.units import none_removed
from explorer.pruning import procedure
from explorer.runs import controls
from explorer.runs.origins import source_to_json
from explorer.runs.store import Run, write_run
from explorer.ui.work import changes, workspace
from explorer.ui.work.changes import ChosenStep
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.session import current_view
from explorer.ui.work.workspace import Source, keep_upload

UNITS = 5  # a layer
SECONDS = 30
TABS = st.sampled_from((0, 1))


class Gate:
    """Where work stands still until the test lets it through, or somebody cancels it."""

    def __init__(self) -> None:
        self.open()

    def open(self) -> None:
        """Nobody stands here any more."""
        self.shut = False
        self._passes = threading.Semaphore(0)

    def wait(self, report: Report) -> None:
        """What the work calls."""
        while self.shut and not self._passes.acquire(timeout=0.002):
            report(1, 4, "stands still")

    def let_one_through(self) -> None:
        """What the test calls."""
        self._passes.release()


GATES = {name: Gate() for name in ("turns", "step", "scratch")}


@pytest.fixture
def small(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> Source:
    """The demo without most of its units, few images, and jobs that stand still at their gates."""
    monkeypatch.setattr(workspace, "CALIBRATION", 16)
    monkeypatch.setattr(workspace, "VALIDATION", 24)
    network = open_network("demo")
    plan = none_removed(network.units)
    for place in network.units.slices.values():
        plan[place.start + UNITS : place.stop] = True
    path = workdir / "small.safetensors"
    write_network(prune(network, plan), path, metrics={}, provenance={})
    iterate, trained, outcome_of = procedure.iterate, controls.trained, changes.outcome_of

    def steps(*given: Any) -> Iterator[procedure.PruningStep]:
        for step in iterate(*given):
            GATES["turns"].wait(given[3])
            yield step

    def from_fresh(*given: Any) -> Any:
        GATES["scratch"].wait(given[4])
        return trained(*given)

    def measured(*given: Any) -> Any:
        GATES["step"].wait(given[2])
        return outcome_of(*given)

    monkeypatch.setattr(procedure, "iterate", steps)
    monkeypatch.setattr(controls, "trained", from_fresh)
    monkeypatch.setattr(changes, "outcome_of", measured)
    return Source(keep_upload(path.read_bytes()), path.name, None, "demo", 0)


class Walk(RuleBasedStateMachine):
    """Two tabs on one run. What the JSON says before and after each action is all that is expected from."""

    source: Source

    def __init__(self) -> None:
        super().__init__()
        for gate in GATES.values():
            gate.open()
        self.run = f"walk-{uuid4().hex[:12]}"
        self.folder = workspace.workdir() / "runs" / self.run
        write_run(self.folder, Run(*source_to_json(self.source)))
        self.tabs = [App.opened("prune", run=self.run) for _ in range(2)]
        self.tabs[0].click("Remove 1").fine()
        self.drawn = [self.told, self.told]  # what each tab shows
        self.added: list[int] = []  # by the turns that go on, or ended last
        self.look_again(1)
        self.begin_turns(0, 1)
        self.cancel_turns(0)
        self.remove(0, 1)
        assert [self.told.stage(number)[0] for number in self.told.states] == ["loaded", "pruned", "tuned", "cut"]

    @property
    def told(self) -> Told:
        return Told.by(self.folder)

    def job(self, kind: str) -> Job | None:
        found = JOBS.find(f"{kind}-{self.run}")
        return found if found and found.active else None

    @property
    def busy(self) -> bool:
        return self.job("step") is not None or ((job := self.job("turns")) is not None and not job.paused)

    def is_behind(self, tab: int) -> bool:
        return self.drawn[tab].at != self.told.at

    def here(self, tab: int) -> App:
        """A tab after it was drawn: all places of it agree with the JSON."""
        app, told = self.tabs[tab], self.told
        self.drawn[tab] = told
        check_prune(app, told, self.busy)
        return app

    def press(self, tab: int, label: str, exact: bool = True) -> App:
        """Press a button in a tab as it was drawn last; the step that it may begin is waited for unless it is held."""
        app = self.tabs[tab]
        button = next(b for b in app.test.button if b.label == label or (not exact and b.label.startswith(label)))
        if button.disabled:  # a browser does not let anybody press it
            return app.again()
        button.click().run()
        if (step := self.job("step")) and not GATES["step"].shut:
            step.wait(SECONDS)
            app.again()
        return app

    def act(self, tab: int, label: str) -> None:
        """Press what adds a state under the one that the run is at."""
        before, behind, busy = self.told, self.is_behind(tab), self.busy
        disabled = not self.tabs[tab].buttons[label]
        app = self.press(tab, label)
        after = self.told
        self.here(tab)
        if disabled:
            assert after == before
        elif busy or behind:
            assert after == before
            assert ("is working on this run" if busy else "Not done, because the run has") in app.said
        elif after == before:
            assert app.test.error or self.job("step"), "a step that is not taken says why"
        else:
            made = before.timeline["made"]
            assert (after.current, after.states[made]["parent"]) == (made, before.current)
            assert {n: s for n, s in after.states.items() if n != made} == before.states

    def move(self, tab: int, label: str, expected: Callable[[Told], int]) -> None:
        """Press what leads to another state: from the one that the tab shows, wherever the run has gone on to since."""
        before, seen, busy, disabled = self.told, self.drawn[tab], self.busy, not self.tabs[tab].buttons[label]
        app = self.press(tab, label)
        after = self.told
        self.here(tab)
        if disabled:
            assert after == before
        elif busy:
            assert after == before and "is working on this run" in app.said
        elif (place := expected(seen)) in before.states:
            assert (after.current, after.states) == (place, before.states)
        else:
            assert after == before and f"State {place} has been deleted meanwhile" in app.said

    @rule(tab=TABS, count=st.sampled_from((1, 10)))
    def remove(self, tab: int, count: int) -> None:
        self.act(tab, f"Remove {count}")

    @rule(tab=TABS)
    def go(self, tab: int) -> None:
        self.act(tab, "Prune to this goal")

    @rule(tab=TABS, label=st.sampled_from(("Undo", "Back", "Back 2")))
    def back(self, tab: int, label: str) -> None:
        steps = 2 if label == "Back 2" else 1
        self.move(tab, label, lambda told: told.way(told.current)[::-1][: steps + 1][-1])

    @rule(tab=TABS)
    def redo(self, tab: int) -> None:
        def younger(told: Told) -> int:
            children = [n for n, state in told.states.items() if state["parent"] == told.current]
            known = [n for n in told.way(told.timeline["tip"]) if n in children]
            return [told.current, *children, *known][-1]

        self.move(tab, "Redo", younger)

    @rule(tab=TABS)
    def delete(self, tab: int) -> None:
        before, behind = self.told, self.is_behind(tab)
        disabled = not next(on for label, on in self.tabs[tab].buttons.items() if label.startswith("Delete it"))
        app = self.press(tab, "Delete it", exact=False)
        after = self.told
        self.here(tab)
        if disabled:
            assert after == before
        elif any(self.job(kind) for kind in ("step", "turns", "scratch")) or behind:
            assert after == before and (app.test.error or app.test.info)
        else:
            left = {n: s for n, s in before.states.items() if before.current not in before.way(n)}
            assert (after.states, after.current) == (left, before.states[before.current]["parent"])

    @rule(tab=TABS, name=st.sampled_from(("", "a", "best of all")))
    def rename(self, tab: int, name: str) -> None:
        (box,) = (box for box in self.tabs[tab].test.text_input if box.label.startswith("Name of state"))
        number, shown = int(box.label.split()[-1]), box.value
        there = number in self.told.states
        box.set_value(name).run()
        self.here(tab)
        if there and name != shown:
            assert self.told.states[number]["name"] == name
        elif not there:
            assert "There is no state" in self.tabs[tab].said or name == shown

    @rule(tab=TABS)
    def look_again(self, tab: int) -> None:
        self.tabs[tab].again()
        self.here(tab)

    @rule(tab=TABS)
    def reload(self, tab: int) -> None:
        self.tabs[tab] = App.opened("prune", run=self.run)
        self.here(tab)

    @rule(tab=TABS)
    def export_page(self, tab: int) -> None:
        check_export(self.tabs[tab].go("export"), self.told)
        self.tabs[tab].go("prune")
        self.here(tab)

    @rule(tab=TABS)
    def saliency_page(self, tab: int) -> None:
        check_saliency(self.tabs[tab].go("saliency"), self.told)
        self.tabs[tab].go("prune")
        self.here(tab)

    @rule(pick=st.integers(0, 99))
    def jump(self, pick: int) -> None:
        before = self.told
        number = list(before.states)[pick % len(before.states)]
        if self.busy:
            with pytest.raises(BadInput, match="is working on this run"):
                changes.jump(self.view(), number)
            assert self.told == before
        else:
            changes.jump(self.view(), number)
            assert (self.told.current, self.told.states) == (number, before.states)

    @rule(pick=st.integers(0, 99))
    def by_hand(self, pick: int) -> None:
        before, view = self.told, self.view()
        parts = (range(s.start, s.stop) for s in view.loaded.network.units.slices.values())
        by_layer = ([unit for unit in part if not view.removed[unit]] for part in parts)
        left = [unit for units in by_layer if len(units) > 1 for unit in units]
        if not left:
            return
        plan = view.removed.clone()
        plan[left[pick % len(left)]] = True
        if self.busy:
            with pytest.raises(BadInput, match="is working on this run"):
                changes.commit_step(view, lambda report: ChosenStep(plan, "1 unit by hand"), "1 unit by hand", {})
            assert self.told == before
        elif not GATES["step"].shut:
            changes.commit_step(view, lambda report: ChosenStep(plan, "1 unit by hand"), "1 unit by hand", {}).wait(
                SECONDS
            )
            after = self.told
            made = after.states[after.current]
            assert (made["how"], made["parent"]) == ("1 unit by hand", before.current)

    def view(self) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("explorer.ui.work.session.run_id", lambda: self.run)
            return current_view()

    @precondition(lambda self: not self.job("step"))
    @rule(shut=st.booleans())
    def shut_the_gate_of_steps(self, shut: bool) -> None:
        GATES["step"].shut = shut

    @precondition(lambda self: self.job("step"))
    @rule(tab=TABS, cancelled=st.booleans())
    def end_a_step(self, tab: int, cancelled: bool) -> None:
        job, before = self.job("step"), self.told
        assert job
        if cancelled:
            self.tabs[tab].again()
            self.press(tab, f"Cancel: {job.label}")
        else:
            GATES["step"].let_one_through()
        job.wait(SECONDS)
        self.tabs[tab].again()
        app = self.here(tab)
        if cancelled:
            assert (
                f"{job.label}: cancelled at {job.share:.0%}; nothing was changed." in app.said and self.told == before
            )
            self.press(tab, f"Dismiss: {job.label}")
        elif job.state == "failed":
            assert "Not done, because the run has" in app.said and self.told == before

    @precondition(lambda self: not self.job("turns"))
    @rule(tab=TABS, turns=st.integers(0, 2))
    def begin_turns(self, tab: int, turns: int) -> None:
        GATES["turns"].shut = True
        behind, busy, before = self.is_behind(tab), self.busy, self.told
        app = self.tabs[tab]
        for label, value in {"Units per step": 2, "Updates per step": 1}.items():
            if not behind:
                app.set(label, value)
        self.press(tab, "Prune and fine-tune")
        job = self.job("turns")
        app.again()
        self.here(tab)
        assert self.told == before
        if job:
            assert not (busy or behind)
            self.added = []
            for _ in range(turns):
                if self.job("turns"):
                    self.one_turn(tab)

    @precondition(lambda self: (job := self.job("turns")) and not job.paused and not self.job("step"))
    @rule(tab=TABS)
    def one_turn(self, tab: int) -> None:
        job, before = self.job("turns"), self.told
        assert job
        GATES["turns"].let_one_through()
        seen, deadline = job.published, time.monotonic() + SECONDS
        while job.active and job.published == seen and time.monotonic() < deadline:
            time.sleep(0.002)
        job.wait(0 if job.published > seen else SECONDS)
        after = self.told
        if new := set(after.states) - set(before.states):
            (number,) = new
            self.added.append(number)
            assert after.states[number]["updates"] == 1
            assert after.current == (number if after.states[number]["parent"] == before.current else before.current)
        self.settle()
        self.tabs[tab].again()
        self.here(tab)

    def settle(self) -> None:
        """The work is at its gate again, or over."""
        job, deadline = self.job("turns"), time.monotonic() + SECONDS
        while job and job.active and job.note != "stands still" and time.monotonic() < deadline:
            time.sleep(0.002)

    @precondition(lambda self: self.job("turns"))
    @rule(tab=TABS)
    def pause_or_go_on(self, tab: int) -> None:
        job = self.job("turns")
        assert job
        self.tabs[tab].again()
        self.press(tab, "Go on" if job.paused else "Pause")
        self.here(tab)

    @precondition(lambda self: self.job("turns"))
    @rule(tab=TABS)
    def cancel_turns(self, tab: int) -> None:
        job = self.job("turns")
        assert job
        self.tabs[tab].again()
        self.press(tab, "Cancel: In turns")
        job.wait(SECONDS)
        self.tabs[tab].again()
        app = self.here(tab)
        assert f"In turns: cancelled at {job.share:.0%}; {self.kept()}." in app.said
        self.press(tab, "Dismiss: In turns")
        self.here(tab)

    def kept(self) -> str:
        if not self.added:
            return "nothing was changed"
        were = "step was" if len(self.added) == 1 else "steps were"
        return f"{len(self.added)} {were} added, the run is at state {self.told.current}"

    @precondition(lambda self: not self.job("turns") and not self.job("scratch"))
    @rule(tab=TABS)
    def begin_control(self, tab: int) -> None:
        GATES["scratch"].shut = True
        self.tabs[tab].again().set("Updates from scratch", 1)
        self.press(tab, "Train from scratch")
        self.here(tab)

    @precondition(lambda self: self.job("scratch") and not self.job("turns"))
    @rule(tab=TABS, cancelled=st.booleans())
    def end_control(self, tab: int, cancelled: bool) -> None:
        job, before = self.job("scratch"), self.told
        assert job
        number = int(job.label.split()[1])
        if cancelled:
            self.tabs[tab].again()
            self.press(tab, f"Cancel: {job.label}")
        else:
            GATES["scratch"].let_one_through()
        job.wait(SECONDS)
        self.tabs[tab].again()
        app = self.here(tab)
        if cancelled:
            assert (
                self.told == before and f"{job.label}: cancelled at {job.share:.0%}; nothing was changed." in app.said
            )
            self.press(tab, f"Dismiss: {job.label}")
        else:
            assert self.told.states[number]["scratch"]["updates"] == 1
            assert self.told.at == before.at

    @invariant()
    def weights_are_there_for_every_state_that_names_some(self) -> None:
        named = {state["weights"] for state in self.told.states.values() if state["weights"]}
        assert named <= {path.name for path in self.folder.glob("weights-*")}

    def teardown(self) -> None:
        for kind in ("step", "turns", "scratch"):
            if job := self.job(kind):
                job.resume()
                job.cancel()
                job.wait(SECONDS)
        check_command(self.folder, self.told)


def test_all_places_say_what_the_runs_json_says(small: Source) -> None:
    Walk.source = small
    run_state_machine_as_test(
        Walk,
        settings=settings(
            max_examples=5,
            stateful_step_count=30,
            derandomize=True,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )
