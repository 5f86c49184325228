"""The one-shot curve behind the handle: the result of each threshold, computed while the page waits for nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st
from torch import Tensor

from explorer.core.progress import staying
from explorer.evaluation.evaluate import Outcome, evaluate
from explorer.jobs.job import SPARE, Job
from explorer.pruning.threshold_curve import Curve, sweep_thresholds, trace_curve
from explorer.ui.elements import say
from explorer.ui.elements.boundary import offer
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.joint_jobs import linearising_job
from explorer.ui.work.results import measured_before
from explorer.ui.work.workspace import Workspace

LATEST = "one-shot-latest"  # the key of the job that this tab shows
STOPPED = "one-shot-stopped"  # keys of those that a person has stopped


@dataclass(frozen=True)
class PartialCurve:
    """A curve on its way."""

    job: Job | None  # None once stopped
    linear: Job | None
    key: str

    @property
    def so_far(self) -> Curve | None:
        """The points that are there; None where there are no images to measure any on."""
        return None if self is NO_CURVE else (self.job and (self.job.result or self.job.partial)) or Curve()

    @property
    def active(self) -> bool:
        """Whether points are still to come."""
        return self.job is not None and self.job.active

    @property
    def ready(self) -> bool:
        """Whether single plans can be predicted."""
        return self.linear is not None and self.linear.result is not None

    def controls(self) -> None:
        """A button that stops the measurements, or has them go on."""
        stopped = st.session_state.setdefault(STOPPED, set())
        if self.active:
            st.button(
                "Stop measuring the curve", key="curve-stop", on_click=self._stop, args=(stopped,), type="tertiary"
            )
        elif self.key in stopped:
            st.button("Measure the curve", key="curve-go", on_click=stopped.discard, args=(self.key,), type="tertiary")
        if self.job and self.job.state == "failed":
            say.error(f"{self.job.label}: {self.job.error}")
            offer(self.job.report_file)

    def _stop(self, stopped: set[str]) -> None:
        stopped.add(self.key)
        if self.job:
            self.job.cancel()


NO_CURVE = PartialCurve(None, None, "")  # where there are no images to measure it on


def curve_job(
    workspace: Workspace,
    removed: Tensor,
    saliency: Tensor,
    needed: Tensor,
    lines: Mapping[str, float],
    moved: frozenset[str],
) -> PartialCurve:
    """The curve of the threshold of the layers `moved`, all else as it is; begun in the background if need be."""
    found = sweep_thresholds(workspace.network.units, removed, saliency, needed, lines, moved)
    digest = hashlib.sha256(found.plans.numpy().tobytes() + repr(found.thresholds).encode()).hexdigest()
    key = f"one-shot-{workspace.key}-{digest}"
    _supersede(key)
    linear = linearising_job(workspace, removed)  # first: predictions come before measurements

    def work(job: Job) -> Curve:
        def measure(plan: Tensor) -> Outcome:
            here = staying(job.report, job.share, job.note)
            return measured_before(workspace, plan) or evaluate(workspace.network, workspace.validation, plan, here)

        for curve in trace_curve(found, removed, linear.result if linear else None, measure, job.report):
            job.publish(curve)
        return job.partial

    if key in st.session_state.get(STOPPED, ()):
        return PartialCurve(JOBS.find(key), linear, key)
    if (job := JOBS.find(key)) and job.state == "cancelled":
        JOBS.forget(key)
    return PartialCurve(JOBS.ensure(key, "Measuring the one-shot curve", work, SPARE), linear, key)


def _supersede(key: str) -> None:
    """Stop the curve that this tab showed before."""
    before = st.session_state.get(LATEST)
    if before != key and (job := JOBS.find(before or "")) and job.active:
        job.cancel()
    st.session_state[LATEST] = key
