"""The run as one file to share: what it will hold, the job that makes it, and the file."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from explorer.core.errors import BadInput
from explorer.core.text import counted, markdown
from explorer.export.sharing.explored import Explored
from explorer.export.sharing.page import page
from explorer.export.sharing.pictures import images_shown
from explorer.jobs.job import LONG, Job
from explorer.networks.units import none_removed
from explorer.runs.timeline import Timeline
from explorer.ui.elements import say
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.oracle_job import oracle
from explorer.ui.work.progress import NOTHING, explain_end, follow
from explorer.ui.work.results import Scored, find_scoring_job, one_picture_seconds, scoring_job
from explorer.ui.work.run_jobs import SHARE, key_of
from explorer.ui.work.session import View, run_of

HELD = (
    "One HTML file that any browser opens, offline too: every state of this run to scrub, distributions, ranks, the "
    "oracle against the criteria, units with the images that excite them, and what was chosen. Nobody else is asked "
    "for anything, and no folder of this computer is named in it."
)


@dataclass(frozen=True)
class SharedFile:
    """A file to share, and the run that it tells of."""

    content: bytes
    timeline: Timeline
    missing: tuple[str, ...]  # sentences on what was not measured


def share_panel(view: View) -> None:
    """What the file will hold and how long it takes; how far it is; or the file."""
    if not len(view.loaded.network.units):
        return
    st.subheader("The run, to share")
    job = JOBS.find(key_of(SHARE, view.run))
    if job and job.active:
        follow(job, job.version)
        return
    say.caption(HELD)
    made: SharedFile | None = job.result if job else None
    if job and not made:
        explain_end(job, NOTHING, "Dismiss")
    if made:
        _download(view, made)
    stale = made is not None and made.timeline != view.timeline
    if stale:
        say.info("The run has changed since: make the file again to have all of it.")
    if st.button("Make the file" if made is None else "Make it again", key="share"):
        make_shared(view)
        st.rerun()
    say.caption(_takes(view))


def _download(view: View, made: SharedFile) -> None:
    name = f"{view.loaded.network.name.partition('.')[0]}-explored.html"
    size = f"{len(made.content) / 1e6:,.1f} MB"
    label = f"Download {name} ({size})"
    st.download_button(markdown(label), made.content, name, "text/html", on_click="ignore", width="stretch")
    for sentence in made.missing:
        say.caption(sentence)


def _takes(view: View) -> str:
    """How long it takes, from what one picture took just now."""
    loaded = view.loaded
    if loaded.given is None:
        return "It takes a moment: without images there are no pictures of units."
    scored = find_scoring_job(loaded, none_removed(loaded.network.units))
    truth = "with the oracle" if oracle(loaded) else "without the oracle, which the Oracle page measures"
    if not (scored and scored.result):
        return f"Every unit is scored first, then drawn in the image that excites it most; {truth}."
    images = images_shown(scored.result.evidence.seen)
    seconds = max(1, round(images * one_picture_seconds(loaded.key, loaded)))
    return f"About {counted(seconds, 'second')}: units in the {images:,} images that excite some of them most; {truth}."


def make_shared(view: View) -> Job:
    """Start making the file."""
    loaded, run = view.loaded, run_of(view)
    scored = scoring_job(loaded, none_removed(loaded.network.units))
    truth = oracle(loaded) if loaded.given else None

    def work(job: Job) -> SharedFile:  # not before the scores are there: they go first
        found: Scored | None = scored.result
        if found is None:
            raise BadInput("The units could not be scored, and without that there is nothing to share: try again.")
        images = loaded.calibration if loaded.given else None
        seen = found.evidence.seen if found.evidence else None
        explored = Explored(run, loaded.network, found.saliencies, images, seen, truth)
        return SharedFile(page(explored, job.report), run.states, explored.missing)

    return JOBS.submit(key_of(SHARE, view.run), "The file to share", work, LONG)
