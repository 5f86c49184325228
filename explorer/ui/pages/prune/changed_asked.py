"""What the gallery of changed answers asks for, computed once for each image and pair of states."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.evaluation.evaluate import Outcome
from explorer.jobs.job import BESIDE, LONG, Job
from explorer.runs import timeline as timelines
from explorer.scoring.detail import RemovedUnits, removed_units
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.results import measuring_job, plan_digest
from explorer.ui.work.session import View, workspace_at
from explorer.ui.work.workspace import Workspace

EAGER = 2e10  # FLOPs that are spent on an image without being asked for: about a second of two cores


@dataclass(frozen=True, eq=False)
class StatePair:
    """The state in view, and the one that it is seen beside."""

    number: int  # of that one
    before: Workspace  # with its weights
    gone: Tensor  # (units,) bool: its plan
    view: View

    @property
    def named(self) -> str:
        """The state before, in words."""
        return "the network as loaded" if not self.number else f"state {self.number}"

    @property
    def taken(self) -> int:
        """Units that went between the two."""
        return int((self.view.removed & ~self.gone).sum())

    @property
    def tuned(self) -> bool:
        """Whether fine-tuning has changed the weights between them."""
        now = timelines.updates_at(self.view.timeline)
        return timelines.updates_at(self.view.timeline, self.number) != now

    @property
    def flops(self) -> int:
        """That measuring every unit between them takes on one image, at most."""
        return 2 * self.taken * self.before.costs.flops(self.gone)

    def jobs(self) -> tuple[Job, Job]:
        """The measurements of both, before and after; their results: an Outcome."""
        label = f"Answers of state {{}} of run {self.view.run}"
        return (
            measuring_job(self.before, self.gone, BESIDE, label.format(self.number)),
            measuring_job(self.view.workspace, self.view.removed, BESIDE, label.format(self.view.timeline.current)),
        )

    def key(self, position: int) -> str:
        """Names what its units did to one of the images."""
        plans = f"{plan_digest(self.gone)}-{plan_digest(self.view.removed)}"
        return f"removed-{self.before.key}-{plans}-{position}"


def pair_of(view: View, number: int) -> StatePair:
    """The state in view beside one that it was made from. Raises BadInput if the weights of that were not kept."""
    trained = timelines.trained_at(view.timeline, number)
    before = view.loaded if trained is None else workspace_at(view, trained)
    return StatePair(number, before, timelines.removed_at(view.timeline, view.loaded.network.units, number), view)


def found_units(pair: StatePair, position: int) -> RemovedUnits | None:
    """What each removed unit did to the image; None where that takes long and was not measured yet."""
    if (job := units_job(pair, position)) and job.result:
        found: RemovedUnits = job.result
        return found
    return _quick(pair.key(position), pair, position) if pair.flops <= EAGER else None


@st.cache_resource(max_entries=64, show_spinner=False)
def _quick(key: str, _pair: StatePair, _position: int) -> RemovedUnits:
    return _measured(_pair, _position)


def _measured(pair: StatePair, position: int, job: Job | None = None) -> RemovedUnits:
    ((x, y),) = pair.before.validation.picked([position])
    plans = (pair.gone, pair.view.removed)
    report = {"report": job.report} if job else {}
    return removed_units(pair.before.network, x[0], int(y[0]), plans, **report)


def measure_units(pair: StatePair, position: int) -> None:
    """Measure it in the background."""
    label = f"What each of {pair.taken:,} removed units did to image {position + 1:,}"
    JOBS.submit(pair.key(position), label, lambda job: _measured(pair, position, job), LONG)
    st.session_state["changed-job"] = pair.key(position)


def units_job(pair: StatePair, position: int) -> Job | None:
    """That measurement, if it was asked for."""
    return JOBS.find(pair.key(position))


def job_in_view() -> Job | None:
    """The measurement that this tab asked for last."""
    return JOBS.find(st.session_state.get("changed-job", ""))


def outcomes(jobs: tuple[Job, Job]) -> tuple[Outcome, Outcome] | None:
    """Both results; None as long as one is missing. Raises BadInput where a measurement failed."""
    for job in jobs:
        if job.state in ("failed", "cancelled"):
            raise BadInput(f"{job.label}: {job.error or job.state}.")
    before, after = (job.result for job in jobs)
    return (before, after) if before and after else None
