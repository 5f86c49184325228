"""Progress on a page: waiting for a job, showing where it is, and cancelling it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import streamlit as st

from explorer.core.text import markdown
from explorer.jobs.job import Job
from explorer.ui.elements import say, wording
from explorer.ui.elements.boundary import boundary, offer
from explorer.ui.work.jobs import JOBS

PATIENCE = 6.0  # seconds in which a page waits for a result instead of showing progress
INSTANT = 0.15  # seconds in which a page waits for a result that it can be drawn without
NOTHING = "nothing was changed"
REDRAWN = "redrawn"
GRACE_SECONDS = 0.3  # seconds more, where it will be there by then: to draw the page twice would take longer

# A browser may ask for a fragment once more, by itself or by a click, at the moment in which its page is being drawn
# anew without it, the work being done: Streamlit answers with nothing, as it should, but would write a line into the
# server's log each time.
LATE = {
    "streamlit.runtime.app_session": "The fragment with id %s does not exist anymore",
    "streamlit.runtime.scriptrunner.script_runner": "Couldn't find fragment with id %s.",
}


def _is_news(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith(tuple(LATE.values()))


for _logger in LATE:
    logging.getLogger(_logger).addFilter(_is_news)


def await_result(job: Job, enough: Callable[[Any], bool] = lambda found: True) -> Any:
    """A job's result, or a partial one that is `enough`; where it takes long, show progress and end the page here."""
    with st.spinner(markdown(job.label), show_time=True):
        job.wait(PATIENCE, enough)
    drawn = job.version
    for found in (job.result, job.partial):
        if found is not None and enough(found):
            return found
    explain_end(job, NOTHING)
    follow(job, drawn)
    st.stop()


def wait_shortly(job: Job) -> None:
    """Wait for a job that is nearly done, whatever the page can show without its result."""
    job.wait(INSTANT)
    if job.seconds_left is not None and job.seconds_left < GRACE_SECONDS:
        job.wait(GRACE_SECONDS)


def follow(
    job: Job,
    drawn: object,
    every: float = 0.9,
    silent: float = 0.0,
    show: Callable[[Job], None] = lambda job: None,
) -> None:
    """Progress of an active job, with a button to cancel it.

    drawn: the job's version that this page shows; as soon as there is a newer one, the page is drawn again. every:
    seconds between two looks at it. silent: seconds before there is anything to see. show: draws what is live.
    """

    @st.fragment(run_every=every)
    @boundary()
    def box() -> None:
        if job.version != drawn:
            redraw()
        if job.seconds >= silent:
            progress_of(job)
            show(job)

    if job.active or job.version != drawn:
        box()


def redraw() -> None:
    """Draw the page again without a click; the answer to the last click stays on it."""
    st.session_state[REDRAWN] = True
    st.rerun()


def follow_shortly(job: Job, drawn: object) -> None:
    """Follow a job that the page was drawn without: look often, and show no progress unless it takes long."""
    follow(job, drawn, every=0.3, silent=1.5)


def explain_end(job: Job, kept: str, remedy: str = "Try again") -> None:
    """Say that a job was cancelled or failed, if it was, and what holds of its work; with a button that clears it away.

    kept: NOTHING, or what it has left behind, as the end of a sentence.
    """
    if job.state == "cancelled":
        say.info(f"{job.label}: cancelled at {job.share:.0%}; {kept}.")
    if job.state == "failed":
        say.error(f"{job.label}: {job.error}" + ("" if kept == NOTHING else f" Until then, {kept}."))
        offer(job.report_file, job.label)
    if job.state in ("cancelled", "failed"):
        st.button(markdown(f"{remedy}: {job.label}"), key=f"clear-{job.key}", on_click=JOBS.forget, args=(job.key,))


def progress_of(job: Job) -> None:
    """Draw a job's progress, with a button to cancel it."""
    left = f", about {wording.duration(job.seconds_left)} left" if job.seconds_left is not None else ""
    st.progress(job.share, text=markdown(f"{job.label}: {job.where}{left}"))
    st.button(markdown(f"Cancel: {job.label}"), key=f"cancel-{job.key}", on_click=job.cancel)
