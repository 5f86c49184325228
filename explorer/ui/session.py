"""Session: which run this browser tab looks at. The run itself lies in the work folder, not in anybody's tab."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st
from torch import Tensor

from explorer import timeline as timelines
from explorer.errors import BadInput
from explorer.evaluate import Outcome
from explorer.origins import Source, source_from_json, source_to_json
from explorer.plan import nothing
from explorer.progress import Report
from explorer.runs import FILE, Run, drop_weights, read_run, write_run
from explorer.stages import Stage, stage_at
from explorer.timeline import State, Timeline, metrics_of
from explorer.ui.address import look_at, new_id, run_id
from explorer.ui.ahead import outcome_of
from explorer.ui.job import Job
from explorer.ui.jobs import JOBS
from explorer.ui.progress import await_result
from explorer.ui.results import measuring
from explorer.ui.workspace import Workspace, open_workspace, trained_workspace, workdir


@dataclass(frozen=True, eq=False)
class View:
    """All that a page needs: the network as loaded, the timeline, and the state that the person is at."""

    loaded: Workspace  # with the network as loaded
    workspace: Workspace  # with the weights of the state, in the whole shape: the plan says what is gone
    timeline: Timeline
    removed: Tensor  # (units,) bool

    @property
    def as_loaded(self) -> View:
        """The same run, looked at before its first step."""
        return View(self.loaded, self.loaded, self.timeline, nothing(self.loaded.network.units))

    @property
    def stage(self) -> Stage:
        """What has been done to the weights of the state; for captions, in words."""
        return stage_at(self.timeline)


_LOCK = threading.Lock()  # two tabs of one run, or a tab and a job, take turns


def current_view() -> View:
    """What this tab shows; a run that can't be opened any more says so and gives way to the demo."""
    try:
        return _view(run_id(), _saved(run_id()))
    except BadInput as problem:
        st.warning(f"{problem} The demo is shown instead; the run stays where it is.")
        return _view(look_at(new_id()), None)


def open_new(source: Source) -> None:
    """Look at a run of its own on this source; raises BadInput where it can't be opened, and then nothing changes."""
    open_workspace(source)
    fresh = new_id()
    network, data = source_to_json(source)
    write_run(run_folder(fresh), Run(network, data, None))
    look_at(fresh)


def change(act: Callable[[Timeline], Timeline]) -> None:
    """Replace this tab's timeline by act(timeline), on disk first."""
    grow_run(run_id(), current_view(), act)


def jump(number: int) -> None:
    """Go to any state of the timeline."""
    change(lambda timeline: timelines.jump(timeline, number))


def delete(number: int) -> None:
    """Delete a state of the timeline, with all that was made from it and the weights that no other state names."""
    run, before = run_id(), current_view().timeline
    change(lambda timeline: timelines.delete(timeline, number))
    with _LOCK:
        if (saved := _saved(run)) and saved.timeline:
            drop_weights(run_folder(run), before, saved.timeline)


@dataclass(frozen=True, eq=False)
class Move:
    """A step that was chosen."""

    removed: Tensor  # (units,) bool
    how: str
    latency: float | None = None  # share of the whole network's, where it was measured


def take(view: View, choose: Callable[[Report], Move], label: str, settings: Mapping[str, Any]) -> Job:
    """The job that chooses a step, measures the network without its units, and adds that state under the one in view.

    Where the run has moved on meanwhile (a double click, a second tab), the step is not taken, and says so.
    """
    run, workspace = run_id(), view.workspace

    def work(job: Job) -> None:
        move = choose(job.report)
        outcome = outcome_of(workspace, move.removed, job.report)
        gone = timelines.gone(workspace.network.units, view.removed, move.removed)
        found = metrics_of(outcome, workspace.costs, move.removed, move.latency)
        state = State(
            view.timeline.current, gone, move.how, found, settings={**settings, "seed": workspace.source.seed}
        )

        def grow(timeline: Timeline) -> Timeline:
            if timeline.current != view.timeline.current:
                raise BadInput(f"Not done, for the run has gone on to state {timeline.current} meanwhile.")
            return timelines.step(timeline, state)

        grow_run(run, view, grow)

    return JOBS.submit(step_key(), label, work)


def step_key() -> str:
    """The key of the job that takes this run's next step."""
    return f"step-{run_id()}"


def grow_run(run: str, view: View, act: Callable[[Timeline], Timeline]) -> Timeline:
    """Replace the timeline of any run by act(timeline), on disk first; the new one."""
    with _LOCK:
        saved = _saved(run)
        timeline = act(saved.timeline if saved and saved.timeline else view.timeline)
        network, data = source_to_json(view.loaded.source)
        write_run(run_folder(run), Run({**network, "digest": view.loaded.network.digest}, data, timeline))
        return timeline


def run_folder(run: str) -> Path:
    """Where a run is kept."""
    return workdir() / "runs" / run


def _saved(run: str) -> Run | None:
    """The run on disk, or None for one that has not been touched yet."""
    return read_run(run_folder(run)) if (run_folder(run) / FILE).exists() else None


def _view(run: str, saved: Run | None) -> View:
    loaded = open_workspace(source_from_json(saved.network, saved.data) if saved else Source())
    timeline = saved.timeline if saved and saved.timeline else _started(loaded)
    removed = timelines.removed_at(timeline, loaded.network.units)
    return View(loaded, _at_state(loaded, run_folder(run), timeline), timeline, removed)


def _at_state(loaded: Workspace, folder: Path, timeline: Timeline) -> Workspace:
    trained = timelines.trained_at(timeline)
    if trained is None:
        return loaded
    return trained_workspace(loaded.key, str(timeline.states[trained].weights), loaded, folder, timeline)


def _started(workspace: Workspace) -> Timeline:
    plan = nothing(workspace.network.units)
    return timelines.start(metrics_of(await_outcome(workspace, plan), workspace.costs, plan))


def await_outcome(workspace: Workspace, removed: Tensor) -> Outcome:
    """The outcome of a plan; where it takes long, the page shows progress until it is there."""
    return await_result(measuring(workspace, removed))
