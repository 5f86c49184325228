"""The state in the address: a link is about one, wherever the run has gone on to since."""

from __future__ import annotations

import re

import streamlit as st

from explorer.core.text import counted, markdown
from explorer.ui.choosing.steps import attempt
from explorer.ui.elements import say
from explorer.ui.work.address import STATE
from explorer.ui.work.changes import jump
from explorer.ui.work.run_jobs import button_state, why_busy
from explorer.ui.work.session import View


def linked_state(view: View) -> None:
    """Say so where the address that this tab was opened with is about another state than the run is at.

    From then on the address names the state that is shown. Nobody else's run is moved without a click.
    """
    key, current = f"linked-state-{view.run}", view.timeline.current
    asked = st.query_params.get(STATE, "")
    if key not in st.session_state:
        st.session_state[key] = int(asked) if re.fullmatch("[0-9]{1,9}", asked) else current
    if asked != str(current):
        st.query_params[STATE] = str(current)
    number = st.session_state[key]
    if number in (None, current):
        st.session_state[key] = None  # the link was followed: what the person does from here on is no other state
        return
    if number in view.timeline.states:
        say.info(f"This link is about state {number}; the run is at state {current} now.")
    else:
        states = counted(len(view.timeline.states), "state")
        say.info(
            f"This link is about state {number}, which the run does not have: it has {states}, and is at {current}."
        )
    with st.container(horizontal=True):
        if number in view.timeline.states:
            st.button(
                markdown(f"Go to state {number}"),
                on_click=attempt,
                args=(jump, view, number),
                **button_state(why_busy(view.run)),
            )
        st.button(markdown(f"Stay at state {current}"), on_click=st.session_state.update, args=({key: current},))
