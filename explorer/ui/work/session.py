"""Session: which run this browser tab looks at. The run itself lies in the work folder, not in anybody's tab."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from explorer.core.errors import BadInput
from explorer.core.locks import in_turn
from explorer.evaluation.evaluate import Outcome
from explorer.evaluation.metrics import metrics_of
from explorer.networks.network import Network
from explorer.networks.units import none_removed
from explorer.runs import timeline as timelines
from explorer.runs.deleted import RUNS, is_deleted
from explorer.runs.origins import Source, source_from_json, source_to_json
from explorer.runs.run_folders import grow
from explorer.runs.stages import Stage, stage_at
from explorer.runs.store import Run, drop_weights, holds_run, read_run, write_run
from explorer.runs.timeline import Timeline
from explorer.ui.elements import say
from explorer.ui.work.address import begin, is_begun, look_at, new_id, run_id
from explorer.ui.work.progress import await_result
from explorer.ui.work.results import measuring_job
from explorer.ui.work.workspace import Workspace, open_workspace, trained_workspace, workdir


@dataclass(frozen=True, eq=False)
class View:
    """All that a page needs: the network as loaded, the timeline, and the state that the person is at."""

    loaded: Workspace  # with the network as loaded
    workspace: Workspace  # with the weights of the state, in the whole shape: the plan says what is gone
    timeline: Timeline
    removed: Tensor  # (units,) bool
    run: str  # its id
    name: str = ""  # given to it by the user

    @property
    def as_loaded(self) -> View:
        """The same run, looked at before its first step."""
        return replace(self, workspace=self.loaded, removed=none_removed(self.loaded.network.units))

    @property
    def stage(self) -> Stage:
        """The stage of the state's weights, in words, for captions."""
        return stage_at(self.timeline)


def current_view() -> View:
    """The view of this tab; a run that can't be opened any more says so and gives way to the demo."""
    try:
        return _view(run_id(), _saved(run_id()))
    except BadInput as problem:
        say.warning(f"{problem} The demo is shown instead; the run stays where it is.")
        return _view(look_at(begin(new_id())), None)


def network_at(view: View, trained: int | None) -> Network:
    """The network in its whole shape with the weights that a state of the run made, or with None as loaded.

    Raises BadInput if they were not kept.
    """
    return view.loaded.network if trained is None else workspace_at(view, trained).network


def workspace_at(view: View, number: int) -> Workspace:
    """The workspace with the weights of a state of the run, in the whole shape; BadInput if they were not kept."""
    return _at_state(view.loaded, run_folder(view.run), replace(view.timeline, current=number))


def is_known(run: str) -> bool:
    """Whether there is such a run: on disk, or begun a moment ago with nothing done in it yet."""
    return is_begun(run) or holds_run(run_folder(run))


def open_new(source: Source) -> None:
    """Look at a run of its own on this source. Raises BadInput if it can't be opened, and then nothing changes."""
    open_workspace(source)
    fresh = new_id()
    network, data = source_to_json(source)
    write_run(run_folder(fresh), Run(network, data, None))
    look_at(fresh)


def on_disk(view: View) -> Timeline:
    """The timeline of the run in view as it is now."""
    saved = _saved(view.run)
    return saved.timeline if saved and saved.timeline else view.timeline


def drop_unneeded(view: View) -> None:
    """Delete the weights that only states of the view name, and none of the run any more."""
    with in_turn(run_folder(view.run)):
        drop_weights(run_folder(view.run), view.timeline, on_disk(view))


def grow_run(view: View, act: Callable[[Timeline], Timeline]) -> Timeline:
    """Replace the timeline of the run in view by act(timeline), on disk first; the new one.

    Raises BadInput if the run was deleted meanwhile.
    """
    if is_deleted(workdir(), view.run) and not holds_run(run_folder(view.run)):
        raise BadInput("Not done, because this run was deleted meanwhile: the list of runs can bring it back.")
    return grow(run_folder(view.run), run_of(view), act).states


def run_of(view: View) -> Run:
    """The run in view, as its folder keeps it."""
    network, data = source_to_json(view.loaded.source)
    return Run({**network, "digest": view.loaded.network.digest}, data, view.timeline)


def run_folder(run: str) -> Path:
    """The folder of a run."""
    return workdir() / RUNS / run


def _saved(run: str) -> Run | None:
    """The run on disk, or None for one that has not been touched yet."""
    return read_run(run_folder(run)) if holds_run(run_folder(run)) else None


def _view(run: str, saved: Run | None) -> View:
    loaded = open_workspace(source_from_json(saved.network, saved.data) if saved else Source())
    timeline = saved.timeline if saved and saved.timeline else _started(loaded)
    removed = timelines.removed_at(timeline, loaded.network.units)
    name = saved.name if saved else ""
    return View(loaded, _at_state(loaded, run_folder(run), timeline), timeline, removed, run, name)


def _at_state(loaded: Workspace, folder: Path, timeline: Timeline) -> Workspace:
    trained = timelines.trained_at(timeline)
    if trained is None:
        return loaded
    return trained_workspace(loaded.key, str(timeline.states[trained].weights), loaded, folder, timeline)


def _started(workspace: Workspace) -> Timeline:
    plan = none_removed(workspace.network.units)
    outcome = await_outcome(workspace, plan) if workspace.given else None
    return timelines.start(metrics_of(outcome, workspace.costs, plan))


def await_outcome(workspace: Workspace, removed: Tensor) -> Outcome:
    """The outcome of a plan; where it takes long, the page shows progress until it is there."""
    return await_result(measuring_job(workspace, removed))
