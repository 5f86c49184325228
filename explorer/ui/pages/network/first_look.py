"""First look: what this is, what to try first, and within seconds what can be said of this very network."""

from __future__ import annotations

import streamlit as st

from explorer.core.errors import BadInput
from explorer.core.text import counted, markdown
from explorer.evaluation.metrics import Metrics
from explorer.jobs.job import AHEAD, Job
from explorer.networks.units import none_removed
from explorer.pruning.spared import spared
from explorer.scoring.criteria import CRITERIA
from explorer.scoring.ranking import scaled
from explorer.ui.elements import say
from explorer.ui.elements.boundary import boundary
from explorer.ui.elements.readable import main_part
from explorer.ui.lesson import taken
from explorer.ui.lesson.panel import lesson
from explorer.ui.work.address import TURN_TO
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.progress import redraw
from explorer.ui.work.results import Saliencies, scoring_job
from explorer.ui.work.session import View

CRITERION, SCALING = "taylor", "l2"
POINT = 0.01  # of accuracy
POLL = 0.4  # seconds between two looks at what is being found out
WHAT = (
    "See what each feature map of a convolutional network is worth, remove the least of them step by step, and take "
    "away a smaller network that computes what the pages show."
)
TRY = {  # label -> the page that it opens, and what is done there
    "Prune this network": ("prune", "Opens Prune: ten units go at each press, and the curve shows what that costs."),
    "Drag a threshold": ("saliency", "Opens Saliency: what lies left of the handle would go."),
}

LESSON = "A tour of steps over these pages: a question, something to do, and what is seen with this network's numbers."


def first_look(view: View) -> None:
    """Name, purpose, the first thing to try, and a sentence of this network's own."""
    say.subheader("Pruning Explorer")
    say.body("{}", WHAT)
    if view.loaded.given and len(view.loaded.network.units):
        _insight(view)
    main_part()
    with st.container(horizontal=True):
        for label, (page, told) in TRY.items():
            st.button(markdown(label), key=f"try-{page}", help=told, on_click=_turn_to, args=(page,))
        if not taken.asked():
            st.button(
                "Take the lesson", key="try-lesson", help=LESSON, on_click=taken.go_to, args=(1, lesson().steps[0].page)
            )


def _turn_to(page: str) -> None:
    st.session_state[TURN_TO] = page


def _insight(view: View) -> None:
    """The sentence, as soon as it is found; until then what is being found out, in as much room."""
    begun = _looking(view)
    ended = not begun.active

    @st.fragment(run_every=None if ended else POLL)
    @boundary()
    def box() -> None:
        with st.container(key="insight"):
            say.body("{}", _said(view, begun))
        if not begun.active and not ended:
            redraw()  # polls no longer

    box()


def _looking(view: View) -> Job:
    """The job that finds out, for the network as loaded, when nothing else is to be done."""
    loaded, (_, accuracy) = view.loaded, view.timeline.root.metrics.quality
    units = loaded.network.units
    scored = scoring_job(loaded, none_removed(units))

    def known() -> Saliencies | None:
        found = scored.result or scored.partial
        return found.saliencies if found and CRITERION in found.saliencies else None

    def work(job: Job) -> Metrics | None:
        while scored.active and known() is None:
            scored.wait(POLL, lambda found: CRITERION in found.saliencies)
            job.report(0, 1, "scoring every unit")
        if (found := known()) is None:
            raise BadInput("The units could not be scored.")
        saliency = scaled(found[CRITERION], units, SCALING)
        try:
            return spared(loaded.network, loaded.costs, loaded.validation, saliency, accuracy - POINT, job.report)
        except BadInput:  # not one unit can go so
            return None

    key = f"spared-{loaded.key}"
    if (before := JOBS.find(key)) and before.state == "cancelled":
        JOBS.forget(key)
    return JOBS.ensure(key, "How much can go for one point of accuracy", work, AHEAD)


def _said(view: View, job: Job) -> str:
    before, now, by = view.timeline.root.metrics, job.result, CRITERIA[CRITERION].title
    (_, accuracy), units = before.quality, counted(before.units, "unit")
    if job.active:
        return f"Being measured: how many of its {units} this network can lose at once for one point of accuracy."
    if job.state != "done":
        return f"How many of its {units} this network can lose could not be measured."
    if now is None:
        return f"Without the one that {by} ranks lowest of its {units}, this network loses a point of accuracy or more."
    return (
        f"This network can lose {before.units - now.units:,} of its {units} at once, by {by}, and "
        f"{1 - now.flops / before.flops:.0%} of its FLOPs with them, for at most one point of accuracy: "
        f"{accuracy:.1%} before, {now.accuracy:.1%} after, on {now.images:,} validation images, without fine-tuning."
    )
