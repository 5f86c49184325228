"""The page's address: it names the run that the tab looks at, so that reloads and bookmarks find it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable

import streamlit as st

RUN_ID = re.compile(r"[A-Za-z0-9_-]{8,40}")
RUN, WORKSPACE = "run", "workspace"
TURN_TO = "turn-to"  # the page that a button of another leads to
STATE, UNIT, LINES, CHALLENGE = OF_A_RUN = ("state", "unit", "lines", "challenge")  # which tell what is looked at in it


_begun: set[str] = set()  # ids of runs that this process has given away, whether anything was done in them or not


def run_id() -> str:
    """The id of this tab's run; a tab without one gets a new one."""
    return id_in_address(RUN, "", lambda: begin(new_id()))


def begin(run: str) -> str:
    """The id itself, of a run that begins now: it is known, though its folder comes only with its first step."""
    _begun.add(run)
    return run


def is_begun(run: str) -> bool:
    """Whether a run of this id was begun by this process."""
    return run in _begun


def forget(run: str) -> None:
    """Take back that a run was begun: one that was deleted is known no more."""
    _begun.discard(run)


def id_in_address(what: str, usual: str, fresh: Callable[[], str]) -> str:
    """The id that this tab's address names; without one the tab's latest, else the usual one, else a fresh one."""
    asked = (st.query_params.get(what), st.session_state.get(what), usual)
    return keep(what, next((each for each in asked if each and RUN_ID.fullmatch(each)), "") or fresh())


def look_at(run: str) -> str:
    """Show this run in this tab; what the address said of another one is no longer in it."""
    if st.query_params.get(RUN) != run:
        for what in OF_A_RUN:
            st.query_params.pop(what, None)
    return keep(RUN, run)


def keep(what: str, name: str) -> str:
    """Name this in the tab's address, also on the pages to come."""
    st.session_state[what] = name
    if st.query_params.get(what) != name:
        st.query_params[what] = name
    return name


def new_id() -> str:
    """An id that no run has."""
    return secrets.token_hex(8)
