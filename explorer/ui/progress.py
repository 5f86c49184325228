"""Progress on a page: waiting for a job, showing where it is, and cancelling it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from explorer.ui import wording
from explorer.ui.jobs import Job

PATIENCE = 6.0  # seconds in which a page waits for a result instead of showing progress


def await_result(job: Job, enough: Callable[[Any], bool] = lambda found: True) -> Any:
    """A job's result, or a partial one that is `enough`; where it takes long, show progress and end the page here."""
    with st.spinner(job.label, show_time=True):
        job.wait(PATIENCE, enough)
    drawn = job.version
    for found in (job.result, job.partial):
        if found is not None and enough(found):
            return found
    explain_end(job)
    follow(job, drawn)
    st.stop()


def follow(job: Job, drawn: object) -> None:
    """Progress of an active job, with a button to cancel it.

    drawn: the job's version that this page shows; as soon as there is a newer one, the page is drawn again.
    """

    @st.fragment(run_every=0.5)
    def box() -> None:
        if job.version != drawn:
            st.rerun()
        _progress(job)

    if job.active or job.version != drawn:
        box()


def explain_end(job: Job) -> None:
    """Say that a job was cancelled or failed, if it was, and offer to do it again."""
    if job.state == "cancelled":
        st.info(f"{job.label}: cancelled at {job.share:.0%}.")
    if job.state == "failed":
        st.error(f"{job.label}: {job.error}")


def _progress(job: Job) -> None:
    left = f", about {wording.duration(job.seconds_left)} left" if job.seconds_left is not None else ""
    st.progress(job.share, text=f"{job.label}: {job.note or job.state}{left}")
    st.button("Cancel", key=f"cancel-{job.key}", on_click=job.cancel)
