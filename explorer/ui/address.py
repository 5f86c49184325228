"""The page's address: it names the run that the tab looks at, so that reloads and bookmarks find it."""

from __future__ import annotations

import re
import secrets

import streamlit as st

RUN_ID = re.compile(r"[A-Za-z0-9_-]{8,40}")


def run_id() -> str:
    """The id of this tab's run; a tab without one gets a new one."""
    asked = st.query_params.get("run") or st.session_state.get("run") or ""
    return look_at(asked if RUN_ID.fullmatch(asked) else new_id())


def look_at(run: str) -> str:
    """Show this run in this tab."""
    st.session_state["run"] = run
    if st.query_params.get("run") != run:
        st.query_params["run"] = run
    return run


def new_id() -> str:
    """An id that no run has."""
    return secrets.token_urlsafe(9)
