"""Session: which run this browser tab looks at. The run itself lies in the work folder, not in anybody's tab."""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from torch import Tensor

from explorer import timeline as timelines
from explorer.errors import BadInput
from explorer.evaluate import Outcome, evaluate
from explorer.plan import nothing
from explorer.progress import Report
from explorer.runs import Run, read_run, write_run
from explorer.timeline import Timeline, metrics_of
from explorer.ui.jobs import JOBS, Job
from explorer.ui.progress import await_result
from explorer.ui.results import measuring
from explorer.ui.workspace import Source, Workspace, open_workspace, source_from_json, source_to_json, workdir

RUN_ID = re.compile(r"[A-Za-z0-9_-]{8,40}")


@dataclass(frozen=True, eq=False)
class View:
    """All that a page needs: the workspace, the timeline, and the plan of the state that the person is at."""

    workspace: Workspace
    timeline: Timeline
    removed: Tensor  # (units,) bool


_LOCK = threading.Lock()  # two tabs of one run, or a tab and a job, take turns


def run_id() -> str:
    """The id of this tab's run, kept in the address so that reloads and bookmarks find it."""
    asked = st.query_params.get("run") or st.session_state.get("run") or ""
    return _look_at(asked if RUN_ID.fullmatch(asked) else secrets.token_urlsafe(9))


def _look_at(run: str) -> str:
    st.session_state["run"] = run
    if st.query_params.get("run") != run:
        st.query_params["run"] = run
    return run


def current_view() -> View:
    """What this tab shows; a run that can't be opened any more says so and gives way to the demo."""
    try:
        return _view(_saved(run_id()))
    except BadInput as problem:
        st.warning(f"{problem} The demo is shown instead; the run stays where it is.")
        _look_at(secrets.token_urlsafe(9))
        return _view(None)


def open_new(source: Source) -> None:
    """Look at a run of its own on this source; raises BadInput where it can't be opened, and then nothing changes."""
    open_workspace(source)
    fresh = secrets.token_urlsafe(9)
    network, data = source_to_json(source)
    write_run(_folder(fresh), Run(network, data, None))
    _look_at(fresh)


def change(act: Callable[[Timeline], Timeline]) -> None:
    """Replace this tab's timeline by act(timeline), on disk first."""
    _change(run_id(), current_view(), act)


def jump(place: int) -> None:
    """Go to any state of the timeline."""
    change(lambda timeline: timelines.jump(timeline, place))


def take(view: View, choose: Callable[[Report], Tensor], how: str) -> Job:
    """The job that chooses a plan, measures the network without its units, and adds that state under the one in view.

    Where the run has moved on meanwhile (a double click, a second tab), the step is not taken.
    """
    run, workspace = run_id(), view.workspace

    def work(job: Job) -> None:
        removed = choose(job.report)
        outcome = evaluate(workspace.network, workspace.validation, removed, job.report)
        found = metrics_of(outcome, workspace.costs, removed)

        def grow(timeline: Timeline) -> Timeline:
            still_there = timeline.current == view.timeline.current
            return timelines.step(timeline, removed, how, found) if still_there else timeline

        _change(run, view, grow)

    return JOBS.submit(step_key(), how, work)


def step_key() -> str:
    """The key of the job that takes this run's next step."""
    return f"step-{run_id()}"


def _change(run: str, view: View, act: Callable[[Timeline], Timeline]) -> None:
    with _LOCK:
        saved = _saved(run)
        timeline = saved.timeline if saved and saved.timeline else view.timeline
        network, data = source_to_json(view.workspace.source)
        write_run(_folder(run), Run({**network, "digest": view.workspace.network.digest}, data, act(timeline)))


def _folder(run: str) -> Path:
    return workdir() / "runs" / run


def _saved(run: str) -> Run | None:
    """The run on disk, or None for one that has not been touched yet."""
    return read_run(_folder(run)) if _folder(run).exists() else None


def _view(run: Run | None) -> View:
    workspace = open_workspace(source_from_json(run.network, run.data) if run else Source())
    timeline = run.timeline if run and run.timeline else _started(workspace)
    plan = timelines.removed_at(timeline.state, len(workspace.network.units))
    return View(workspace, timeline, plan)


def _started(workspace: Workspace) -> Timeline:
    plan = nothing(workspace.network.units)
    return timelines.start(metrics_of(await_outcome(workspace, plan), workspace.costs, plan))


def await_outcome(workspace: Workspace, removed: Tensor) -> Outcome:
    """The outcome of a plan; where it takes long, the page shows progress until it is there."""
    return await_result(measuring(workspace, removed))
