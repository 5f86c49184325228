"""The dialog with all runs of the work folder, from which one is opened again."""

from __future__ import annotations

import streamlit as st

from explorer.ui.choosing.run_list import run_list
from explorer.ui.elements.boundary import boundary
from explorer.ui.pages.network.opening import show
from explorer.ui.work.address import run_id


@st.dialog("Runs", width="large", on_dismiss=lambda: show(None))
@boundary()
def runs() -> None:
    """Every run that was begun here, the latest first."""
    run_list("runs", run_id())
