"""The place of a tab in its lesson: the step and those done, in the address, so that links and reloads find them."""

from __future__ import annotations

import re

import streamlit as st

from explorer.ui.work.address import TURN_TO, keep

STEP, DONE = "lesson", "lesson-done"


def keep_place() -> None:
    """Name the step, and those done, in the address of every page of this tab."""
    for what in (STEP, DONE):
        if here := st.query_params.get(what) or st.session_state.get(what):
            keep(what, here)


def asked() -> str:
    """What the address says of the step; "" where no lesson is taken."""
    return str(st.session_state.get(STEP, ""))


def done() -> frozenset[int]:
    """The numbers of the steps of which something was seen."""
    return frozenset(int(each) for each in re.findall("[0-9]{1,3}", str(st.session_state.get(DONE, ""))))


def mark_done(number: int) -> None:
    """From now on this step is done."""
    if number not in done():
        keep(DONE, ".".join(map(str, sorted(done() | {number}))))


def go_to(number: int, page: str) -> None:
    """Take the lesson at this step, on its page."""
    keep(STEP, str(number))
    st.session_state[TURN_TO] = page


def end() -> None:
    """Take no lesson any more; what was done in it is forgotten."""
    for what in (STEP, DONE):
        st.session_state.pop(what, None)
        st.query_params.pop(what, None)
