"""Changes of the run in view: refused, in a sentence, where a job works on it or where it has gone on since."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor

from explorer.core.errors import Outdated
from explorer.core.progress import Report
from explorer.evaluation.metrics import metrics_of
from explorer.jobs.job import Job
from explorer.runs import timeline as timelines
from explorer.runs.timeline import State, Timeline
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.prefetch import outcome_of
from explorer.ui.work.run_jobs import STEP, check, key_of, why_busy, why_needed
from explorer.ui.work.session import View, drop_unneeded, grow_run, on_disk


def change(view: View, act: Callable[[Timeline], Timeline]) -> None:
    """Replace the timeline of the run in view by act(timeline), on disk first; raises Outdated if it is not ready."""

    def fresh(timeline: Timeline) -> Timeline:
        _check_ready(view, timeline)
        return act(timeline)

    grow_run(view, fresh)


def move(view: View, act: Callable[[Timeline], Timeline]) -> None:
    """Go where act(timeline) leads from the state in view, wherever the run has gone on to since.

    Raises Outdated if a job works on the run, or a state on the way has been deleted meanwhile.
    """

    def moved(timeline: Timeline) -> Timeline:
        check(why_busy(view.run))
        seen = act(view.timeline)
        if seen.current not in timeline.states:
            raise Outdated(
                f"State {seen.current} has been deleted meanwhile, in another tab: the run is shown as it is."
            )
        tip = seen.tip if seen.tip in timeline.states else seen.current
        return replace(timeline, current=seen.current, tip=tip)

    grow_run(view, moved)


def jump(view: View, number: int) -> None:
    """Go to any state of the timeline."""
    move(view, lambda timeline: timelines.jump(timeline, number))


def rename(view: View, number: int, name: str) -> None:
    """Call a state by this name, whatever else goes on in the run."""
    grow_run(view, lambda timeline: timelines.rename(timeline, number, name))


def delete(view: View, number: int) -> None:
    """Delete a state of the timeline, with all that was made from it and the weights that no other state names.

    Raises Outdated if a job may still need one of them.
    """

    def less(timeline: Timeline) -> Timeline:
        check(why_needed(view.run, timelines.made_from(timeline, number)))
        return timelines.delete(timeline, number)

    change(view, less)
    drop_unneeded(view)


def check_ready(view: View) -> None:
    """Raises Outdated if nothing can be begun from the state in view: a job works on the run, or it has gone on."""
    _check_ready(view, on_disk(view))


def _check_ready(view: View, timeline: Timeline) -> None:
    check(why_busy(view.run))
    _check_same(view, timeline)


def _check_same(view: View, timeline: Timeline) -> None:
    if timeline.current != view.timeline.current:
        raise Outdated(
            f"Not done, because the run has gone on to state {timeline.current} meanwhile: look at it, and press again."
        )
    if timeline.made != view.timeline.made:
        raise Outdated(
            f"Not done, because the run has got a new state, {timeline.made - 1}, meanwhile: look at it, and "
            "press again."
        )


@dataclass(frozen=True, eq=False)
class ChosenStep:
    """A step that was chosen."""

    removed: Tensor  # (units,) bool
    how: str
    latency: float | None = None  # share of the whole network's, where it was measured


def commit_step(view: View, choose: Callable[[Report], ChosenStep], label: str, settings: Mapping[str, Any]) -> Job:
    """The job that chooses a step, measures the network without its units, and adds that state under the one in view.

    Raises Outdated if the run is not ready for it. Where it goes on before the job ends, the step is not taken.
    """
    workspace = view.workspace
    check_ready(view)

    def work(job: Job) -> None:
        move = choose(job.report)
        outcome = outcome_of(workspace, move.removed, job.report) if workspace.given else None
        found = metrics_of(outcome, workspace.costs, move.removed, move.latency)
        parent, seeded = view.timeline.current, {**settings, "seed": workspace.source.seed}
        taken = timelines.units_taken(view.timeline, parent, workspace.network.units, move.removed)
        state = State(parent, taken, move.how, found, settings=seeded)

        def grow(timeline: Timeline) -> Timeline:
            _check_same(view, timeline)
            return timelines.step(timeline, state)

        grow_run(view, grow)

    return JOBS.submit(key_of(STEP, view.run), label, work)
