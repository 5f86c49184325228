"""Prefetch: measures the plans that the next click may ask for while the user looks at the page."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st
from torch import Tensor

from explorer.core.progress import Report
from explorer.evaluation.evaluate import Outcome, evaluate
from explorer.jobs.job import AHEAD, Job
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.results import measured_before, plan_digest
from explorer.ui.work.workspace import Workspace

LATEST = "ahead"  # the keys of the jobs that this tab began last
PREFETCH_POLL_SECONDS = 0.05  # seconds between two looks at a job that is nearly there


def measure_ahead(workspace: Workspace, plans: Sequence[Tensor]) -> None:
    """Measure these plans when nothing else is to be done; this tab's other prefetches stop."""
    wanted = {_key(workspace, plan): plan for plan in plans if measured_before(workspace, plan) is None}
    for key in set(st.session_state.get(LATEST, ())) - set(wanted):
        if job := JOBS.find(key):
            job.cancel()
    st.session_state[LATEST] = list(wanted)
    for key, plan in wanted.items():
        if (job := JOBS.find(key)) is None or job.state == "cancelled":
            JOBS.submit(key, "Measuring ahead", partial(_measured, workspace, plan), AHEAD)


def outcome_of(workspace: Workspace, removed: Tensor, report: Report) -> Outcome:
    """The metrics on the validation images with these units gated: known already, soon there, or measured now."""
    ahead = JOBS.find(_key(workspace, removed))
    if ahead and ahead.state == "running":
        ahead.hurry()
        while ahead.active:
            report(ahead.done, ahead.total, ahead.note)
            ahead.wait(PREFETCH_POLL_SECONDS)
    if ahead and ahead.result:
        return ahead.result
    return measured_before(workspace, removed) or evaluate(workspace.network, workspace.validation, removed, report)


def _measured(workspace: Workspace, plan: Tensor, job: Job) -> Outcome:
    return evaluate(workspace.network, workspace.validation, plan, job.report)


def _key(workspace: Workspace, removed: Tensor) -> str:
    return f"ahead-{workspace.key}-{plan_digest(removed)}"
