"""Draw page: what the network makes of a picture of one's own, and what is left of that while it is pruned."""

from __future__ import annotations

import streamlit as st
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.core.text import counted
from explorer.data.drawing import InputForm
from explorer.networks.units import none_removed
from explorer.scoring.criteria import CRITERIA
from explorer.ui.elements import say, terms, wording
from explorer.ui.elements.boundary import boundary
from explorer.ui.elements.readable import main_part
from explorer.ui.pages.draw import asked
from explorer.ui.pages.draw.answers import StateAnswer, along_html, answer_html, changes_said, input_html
from explorer.ui.pages.draw.asked import OwnPicture
from explorer.ui.pages.draw.taking import taken
from explorer.ui.pages.draw.units import layer_html, matter_said, tops_html
from explorer.ui.work.progress import NOTHING, explain_end, follow, follow_shortly
from explorer.ui.work.results import Scored, scoring_job
from explorer.ui.work.session import View

OWN = -1  # the target: what the network as loaded answers
NOTHING_YET = (
    "Draw one of its classes on the canvas: the answer, and what each unit does for it, stand here at each stroke."
)
MAPS = (
    "Yellow: strong, up to the largest value of the layer. The bar under each is the size of its effect on the loss, "
    "as a square root: blue, it helps; vermilion, it hurts. Dashed: removed."
)


def page(view: View) -> None:
    """Answer: what does the network make of this picture, through which units, and for how long while it is pruned?"""
    main_part()
    draw_section(view)


def draw_section(view: View) -> None:
    """The whole of it; what a stroke changes is drawn anew alone."""
    try:
        form = asked.form_of(view.workspace)
    except BadInput as reason:
        say.info(reason)
        return
    scored = scoring_job(view.workspace, view.removed)
    drawn, ranked = scored.version, _ranking(view, scored.result or scored.partial)

    @st.fragment
    @boundary()
    def strokes() -> None:
        _strokes(view, form)

    strokes()
    if ranked is None:
        follow_shortly(scored, drawn)
    if job := asked.job_in_view():
        explain_end(job, NOTHING)
        follow(job, job.version)


def _strokes(view: View, form: InputForm) -> None:
    left, right = st.columns([1, 2.2], gap="large")
    with left:
        say.subheader("Your picture")
        picture = _taken(view, form)
    with right:
        say.subheader("The answer")
        if picture is None:
            say.info(NOTHING_YET)
            return
        target = _answer(view, picture)
        _on_the_way(view, picture, target)
        with st.container(key="at-once"):  # its place is kept until the units are scored
            _at_once(view, picture, target)
    _units(view, picture, target)


def _taken(view: View, form: InputForm) -> OwnPicture | None:
    try:
        return taken(view.loaded, form, lambda picture: _said(view, picture))
    except BadInput as problem:
        say.warning(problem)
        return None


def _said(view: View, picture: OwnPicture) -> str:
    """The answer in a few words."""
    found = asked.answer(view.workspace, view.removed, picture)
    return f"It says {view.loaded.network.classes[int(found.argmax())]} ({float(found.max()):.1%})"


def _answer(view: View, picture: OwnPicture) -> int:
    """Both answers side by side; the class that the picture is taken to be of."""
    network = view.loaded.network
    said = {"as loaded": asked.answer(view.loaded, none_removed(network.units), picture)}
    own = int(said["as loaded"].argmax())
    if view.timeline.state.parent is not None:
        said[f"state {view.timeline.current}"] = asked.answer(view.workspace, view.removed, picture)
    answers, gets = st.columns([1.6, 1], gap="large")
    with answers:
        st.html(answer_html(said, network.classes))
    with gets:
        st.html(input_html(picture.shown, picture.prepared.how))
        target = st.selectbox(
            "It is",
            [OWN, *range(len(network.classes))],
            0 if picture.label is None else picture.label + 1,
            format_func=lambda c: (
                f"{network.classes[own]}, as the network as loaded says" if c == OWN else network.classes[c]
            ),
            key=f"draw-target-{view.loaded.key}-{picture.label}",
        )
    return own if target == OWN else int(target)


def _on_the_way(view: View, picture: OwnPicture, target: int) -> None:
    """The answer at each state of the run, up to this one."""
    if view.timeline.state.parent is None:
        return
    say.body("**While this run was pruned**")
    asked_for = bool(st.session_state.get("draw-states"))
    try:
        found = asked.answers_at_states(view, picture, asked_for)
    except BadInput as problem:
        say.warning(problem)
        return
    if found is None:
        say.caption("The states on the way have many sets of weights, which take a while to read.")
        st.toggle("Ask at every state", key="draw-states")
        return
    states = view.timeline.states
    columns = [
        StateAnswer(f"state {n}, {states[n].name or states[n].how}", f"{states[n].metrics.units:,}", p)
        for n, p in found.items()
    ]
    classes = view.loaded.network.classes
    st.html(along_html(columns, target, classes, "units left, at each state from the network as loaded to this one"))
    say.caption(changes_said(columns, target, classes))


def _at_once(view: View, picture: OwnPicture, target: int) -> None:
    """The answer if the least important units of this state went all at once."""
    scored = scoring_job(view.workspace, view.removed)
    found = _ranking(view, scored.result or scored.partial)
    if found is None:
        say.caption("How the answer changes as units go is shown here once they are scored.")
        return
    name, saliency = found
    say.body("**If units went from here, all at once**")
    shares, plans = asked.plans_at_once(view, saliency)
    cost = len(plans) * view.workspace.costs.flops(view.removed)
    if cost > asked.EAGER and not st.toggle("Ask at every share", key="draw-shares"):
        say.caption(f"It takes {counted(len(plans), 'forward pass')} of {wording.short(cost / len(plans))} FLOPs.")
        return
    answers = asked.answers_at_once(view, plans, picture)
    columns = [
        StateAnswer(f"{share:.0%} of the units gone", f"{share:.0%}", p)
        for share, p in zip(shares, answers, strict=True)
    ]
    classes = view.loaded.network.classes
    axis = f"of the units left here gone, the least by {CRITERIA[name].title} first; each answer is measured"
    st.html(along_html(columns, target, classes, axis))
    say.caption(changes_said(columns, target, classes))


def _ranking(view: View, scored: Scored | None) -> tuple[str, Tensor] | None:
    """The criterion that units go by, and its saliencies (units,); None until they are there."""
    name = "taylor" if view.loaded.given else "weight"
    return (name, scored.saliencies[name]) if scored and name in scored.saliencies else None


def _units(view: View, picture: OwnPicture, target: int) -> None:
    """Which units matter for this picture, and what they see of it."""
    network = view.loaded.network
    say.subheader("What each unit does for it")
    if not len(network.units):
        say.info("This network has no units that can go.")
        return
    found = asked.effects(view, picture, target)
    say.caption(matter_said(network.units, found, network.classes[target]))
    if not found.exact:
        st.button(
            "Measure each unit",
            key="draw-measure",
            on_click=asked.measure_effects,
            args=(view, picture, target),
        )
    maps = asked.maps(view, picture)
    tops, layer_maps = st.columns([1, 1.25], gap="large")
    with tops:
        say.body("**Those that matter most**")
        st.html(tops_html(network.units, maps, found))
        say.caption("Above each, how the loss of this picture changes without it, in nats.")
    with layer_maps:
        layer = st.selectbox(
            "Feature maps of",
            list(network.units.slices),
            key="draw-layer",
            persist_state="session",
            help=terms.help_of("feature map"),
        )
        st.html(layer_html(network.units, layer, maps[layer], found))
        say.caption(MAPS)
