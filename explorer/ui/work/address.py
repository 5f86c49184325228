"""The page's address: it names the run that the tab looks at, so that reloads and bookmarks find it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable

import streamlit as st

RUN_ID = re.compile(r"[A-Za-z0-9_-]{8,40}")
RUN, WORKSPACE = "run", "workspace"
TURN_TO = "turn-to"  # the page that a button of another leads to


def run_id() -> str:
    """The id of this tab's run; a tab without one gets a new one."""
    return id_in_address(RUN, "", new_id)


def id_in_address(what: str, usual: str, fresh: Callable[[], str]) -> str:
    """The id that this tab's address names; without one the tab's latest, else the usual one, else a fresh one."""
    asked = (st.query_params.get(what), st.session_state.get(what), usual)
    return keep(what, next((each for each in asked if each and RUN_ID.fullmatch(each)), "") or fresh())


def look_at(run: str) -> str:
    """Show this run in this tab."""
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
