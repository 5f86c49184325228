"""Visitors of an app that is served beyond this computer: each browser has a workspace, with a work folder, of its own.

On this computer alone there are no visitors, and the work folder is the whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import streamlit as st

from explorer.core import workdir as whole
from explorer.data.uploads import drop_unused
from explorer.ui.work.address import WORKSPACE, id_in_address, new_id

WORKSPACE_COOKIE = "pruning-explorer-workspace"
SHOWN = 60 * 60  # seconds for which an upload stays though no run is made of it
SHARED = (
    "This address belongs to another browser's workspace: all who open it see and change the same runs. [Go "
    "to your own](/)"
)
_WORKS_FOR: ContextVar[str] = ContextVar("the visitor whom a job works for", default="")
_closed: list[bool] = []  # not empty where visitors may not name folders and files of this computer
_tokens: list[str] = []  # the one that this process asks for; none where it serves this computer alone


def serve_beyond(token: str) -> None:
    """From now on ask visitors for this token, and keep their workspaces apart."""
    _tokens[:] = [token]


def close_paths() -> None:
    """From now on open no folder or file of this computer because a visitor names it."""
    _closed[:] = [True]


def paths_allowed() -> bool:
    """Whether visitors may name folders and files of this computer."""
    return not _closed


def token() -> str:
    """The token of visitors; "" where only this computer is served."""
    return _tokens[0] if _tokens else ""


def visitor() -> str:
    """The id of the workspace of this tab, or in a job of who began it; "" where only this computer is served."""
    if not token():
        return ""
    return _WORKS_FOR.get() or id_in_address(WORKSPACE, st.context.cookies.get(WORKSPACE_COOKIE, ""), new_id)


def in_foreign_workspace() -> bool:
    """Whether this tab is in another workspace than its browser's own."""
    own = st.context.cookies.get(WORKSPACE_COOKIE) if token() else None
    return own is not None and own != visitor()


def workdir() -> Path:
    """The work folder of the visitor."""
    who = visitor()
    return whole.workdir() / "people" / who if who else whole.workdir()


def drop_unused_uploads() -> None:
    """Delete the visitor's uploads that no run names, and that no tab has shown for a while."""
    drop_unused(workdir(), time.time() - SHOWN)


def own_key(key: str) -> str:
    """A job's key that only the visitor finds it by; others may ask for the same."""
    who = visitor()
    return f"{who}/{key}" if who else key


def in_their_name(work: Callable[..., Any]) -> Callable[..., Any]:
    """The same work, for a thread that belongs to no tab: it is done in the workspace of who asks for it now."""
    who = visitor()

    def theirs(*arguments: Any) -> Any:
        before = _WORKS_FOR.set(who)
        try:
            return work(*arguments)
        finally:
            _WORKS_FOR.reset(before)

    return theirs
