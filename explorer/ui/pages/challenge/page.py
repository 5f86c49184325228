"""Challenge page: units chosen by hand, against Taylor, the joint choice and chance."""

from __future__ import annotations

import streamlit as st
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.core.text import counted
from explorer.pruning.challenge import DRAWS, Challenge, hand_plan
from explorer.ui.elements import say
from explorer.ui.elements.chart import picture_and_side
from explorer.ui.elements.readable import main_part
from explorer.ui.pages.challenge.asked import challenge_form, challenge_in_view, picked
from explorer.ui.pages.challenge.contest import contest, contest_known
from explorer.ui.pages.challenge.outcome import outcome
from explorer.ui.pages.challenge.scores import keep_score, score_table
from explorer.ui.pages.challenge.units import units_to_choose
from explorer.ui.work.estimates import about
from explorer.ui.work.results import scoring_job
from explorer.ui.work.session import View


def page(view: View) -> None:
    """Answer: which units can go, by a person's eye, and does that beat Taylor, the joint choice and chance?"""
    view = view.as_loaded
    main_part()
    challenge = challenge_in_view(view)
    if challenge is None:
        return
    scoring_job(view.workspace, view.removed)  # begins in the background: Taylor's choice will be asked for
    plan = _plan_measured(view, challenge)
    known = None if plan is None else contest_known(view, challenge, plan)
    picture, side = picture_and_side(1.5)
    with picture:
        units_to_choose(view, challenge, known)
    with side:
        challenge_form(view.loaded.network, challenge)
        _measure(view, challenge)
        if plan is not None:
            found = known or contest(view, challenge, plan)
            keep_score(challenge, found)
            if known is None:
                st.rerun()  # the units that others chose too are marked
            outcome(view, challenge, found)
    score_table(view.loaded.network)


def _measure(view: View, challenge: Challenge) -> None:
    """The button, and what it waits for."""
    chosen = picked(view.loaded.network).units
    missing = challenge.count - len(chosen)
    st.button(
        "Measure",
        type="primary",
        width="stretch",
        disabled=missing != 0,
        on_click=st.session_state.update,
        args=({_key(view): (challenge, chosen)},),
    )
    if missing:
        what = f"Choose {counted(missing, 'more unit')}" if missing > 0 else f"Take {counted(-missing, 'unit')} back"
        say.caption(f"{what}, then measure them against Taylor, the joint choice and chance.")
        return
    time = about(view.workspace, (DRAWS + 3) * len(view.workspace.validation))
    say.caption(f"Against Taylor, the joint choice and chance, on {view.workspace.validated_on}{time and f', {time}'}.")


def _plan_measured(view: View, challenge: Challenge) -> Tensor | None:
    """The units whose measurement this tab asked for last in this challenge; None where there are none."""
    asked, units = st.session_state.get(_key(view), (None, ()))
    if asked != challenge:
        return None
    chosen: dict[str, tuple[int, ...]] = {}
    for layer, channel in units:
        chosen[layer] = (*chosen.get(layer, ()), channel)
    try:
        return hand_plan(view.loaded.network.units, chosen, challenge.count)
    except BadInput as problem:
        say.warning(problem)
        return None


def _key(view: View) -> str:
    return f"challenge-measured-{view.loaded.network.digest}"
