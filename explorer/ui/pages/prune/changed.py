"""The gallery of changed answers: before and after side by side, and which removed units did it."""

from __future__ import annotations

import streamlit as st

from explorer.core.errors import BadInput
from explorer.core.text import counted, one_line
from explorer.evaluation.changed import KINDS, ChangedAnswer, changed_answers, changed_said
from explorer.evaluation.evaluate import Outcome
from explorer.scoring.detail import RemovedUnits
from explorer.ui.elements import say
from explorer.ui.elements.boundary import boundary
from explorer.ui.pages.prune.changed_asked import (
    StatePair,
    found_units,
    job_in_view,
    measure_units,
    outcomes,
    pair_of,
    units_job,
)
from explorer.ui.pages.prune.changed_drawn import TOP, changed_html, units_html
from explorer.ui.work.estimates import about
from explorer.ui.work.progress import NOTHING, explain_end, follow, follow_shortly, wait_shortly
from explorer.ui.work.run_jobs import why_busy
from explorer.ui.work.session import View
from explorer.ui.work.stills import stills

PAGE = 12  # images
ANY = "any"


def changed(view: View) -> None:
    """The images whose answer differs between the state in view and one that it was made from."""
    say.subheader("Answers that changed")
    if (parent := view.timeline.state.parent) is None:
        say.caption("This is the network as loaded: after a step, the images stand here that it answers differently.")
        return
    if reason := why_busy(view.run):
        say.caption(reason)
        return
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        number = _beside(parent)
        kind = st.selectbox("Show", [ANY, *KINDS], key="changed-kind", width=280, format_func=_kind_said)
    try:
        pair = pair_of(view, number)
        jobs = pair.jobs()
        for job in jobs:
            wait_shortly(job)
        drawn = [job.version for job in jobs]
        found = outcomes(jobs)
    except BadInput as problem:
        say.warning(problem)
        return
    if found is None:
        say.caption("The images are being answered by both states.")
        for job, version in zip(jobs, drawn, strict=True):
            follow_shortly(job, version)
        return
    _shown(pair, found, str(kind))


def _beside(parent: int) -> int:
    """The state to see it beside: 0, or the one that it was made from."""
    names = {0: "the network as loaded", parent: f"state {parent}, which this was made from"} if parent else {}
    if not names:
        return 0
    return st.selectbox("Beside", list(names), key=f"changed-beside-{parent}", width=280, format_func=names.__getitem__)


def _kind_said(kind: str) -> str:
    return KINDS.get(kind, "all that changed")


def _shown(pair: StatePair, found: tuple[Outcome, Outcome], kind: str) -> None:
    answers = changed_answers(*found)
    some = [each for each in answers if kind in (ANY, each.kind)]
    images = pair.before.validation.describe()
    say.body("{}", changed_said(answers, images))
    where = f"State {pair.view.timeline.current}, {pair.view.stage}, beside {pair.named}; {pair.before.network.device}."
    say.caption(f"{where} Below each image, both answers with their probability; dashed vermilion = wrong.")
    if not some:
        return

    @st.fragment
    @boundary()
    def gallery() -> None:
        shown, first = _page(pair, some, kind)
        _units(pair, shown, first, found[1])

    gallery()
    if job := job_in_view():
        explain_end(job, NOTHING)
        follow(job, job.version)


def _page(pair: StatePair, some: list[ChangedAnswer], kind: str) -> tuple[list[ChangedAnswer], int]:
    """Draw one page of the images; those on it, and the number of the first."""
    pages, name = -(-len(some) // PAGE), f"{pair.key(0)}-{kind}"
    page = 1
    if pages > 1:
        page = int(st.number_input(f"Page, 1 to {pages:,}", 1, pages, 1, key=f"changed-page-{name}", width=160))
    first = PAGE * (page - 1)
    shown = some[first : first + PAGE]
    pictures, how = stills(pair.before.key, tuple(each.position for each in shown), pair.before)
    st.html(changed_html(shown, pictures, pair.before.network.classes, first + 1))
    if how:
        say.caption(how)
    return shown, first + 1


def _units(pair: StatePair, shown: list[ChangedAnswer], first: int, after: Outcome) -> None:
    say.body("**Which removed units did it**")
    if not pair.taken:
        say.caption("No units went between these two states: fine-tuning alone changed the answers.")
        return
    classes = pair.before.network.classes
    place = st.selectbox(
        "Image",
        range(len(shown)),
        key=f"changed-image-{pair.key(shown[0].position)}-{len(shown)}",
        format_func=lambda k: _choice(first + k, shown[k], classes),
    )
    image = shown[place]
    found = found_units(pair, image.position)
    if found is None:
        _offer(pair, image.position)
        return
    say.body("{}", _said(pair, found, image))
    st.html(units_html(pair.before.network.units, found, image, classes))
    say.caption(_how(pair, found, float(after.losses[image.position])))


def _choice(number: int, image: ChangedAnswer, classes: tuple[str, ...]) -> str:
    true, before, after = (one_line(classes[c]) for c in (image.label, image.before, image.after))
    return f"{number:,}. {true}: {before} → {after}"


def _offer(pair: StatePair, position: int) -> None:
    time = about(pair.before, 2 * pair.taken)
    say.caption(
        f"{counted(pair.taken, 'unit')} went. To measure each takes two passes of this image a unit"
        f"{time and f', {time}'}."
    )
    job = units_job(pair, position)
    if st.button("Measure each removed unit", key="changed-measure", disabled=bool(job and job.active)):
        measure_units(pair, position)
        st.rerun()


def _said(pair: StatePair, found: RemovedUnits, image: ChangedAnswer) -> str:
    """Sentences on the unit that did most, and on how many bring back the answer."""
    network = pair.before.network
    again = int((found.answers == image.before).sum())
    return (
        f"As {network.classes[image.label]}, its true class, this image's loss goes from {found.before:.2g} to "
        f"{found.after:.2g} nats when {counted(pair.taken, 'unit')} {'goes' if pair.taken == 1 else 'go'}. "
        f"{_undoes(pair, found)} {_again(again, pair.taken)} the answer {network.classes[image.before]}."
    )


def _undoes(pair: StatePair, found: RemovedUnits) -> str:
    most = int(found.undone.argmax())
    if found.undone[most] <= 0:
        return "None of them, put back alone, undoes any of that."
    layer, channel = pair.before.network.units.labels[int(found.units[most])]
    return f"Put back alone, {layer}, channel {channel}, undoes most of that: {float(found.without[most]):.2g} nats."


def _again(again: int, taken: int) -> str:
    if not again:
        return "No single one of them brings back"
    return f"{again:,} of the {taken:,}, each put back alone, {'gives' if again == 1 else 'give'}"


def _how(pair: StatePair, found: RemovedUnits, loss: float) -> str:
    """What was measured, by which weights."""
    shown = min(len(found.units), TOP)
    measured = (
        f"The {shown:,} of {counted(len(found.units), 'removed unit')} whose return undoes most of it, in nats. "
        "Exact, by gates, one image: put back alone = all other removed units stay away; removed alone = from "
        f"{pair.named} only that one goes. Such effects don't add up. Blue: the image needs the unit."
    )
    if not pair.tuned:
        return measured
    return (
        f"{measured} All with the weights of {pair.named}: removed units had no part in the fine-tuning after it, "
        f"which led from {found.after:.2g} to {loss:.2g} nats."
    )
