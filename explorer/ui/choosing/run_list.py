"""The runs of this work folder in a table, to open one again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from explorer.core.text import cell, counted
from explorer.runs.listing import MOST, ListedRun, listed_runs
from explorer.ui.elements import say
from explorer.ui.work.address import look_at
from explorer.ui.work.visitors import workdir

COLUMNS = {
    "Accuracy": st.column_config.LineChartColumn(
        help="On the way to its current state, from 0 to 100 %.", y_min=0, y_max=1, width=130
    ),
    "Changed": st.column_config.DatetimeColumn(format="distance", width=120),
    "Units left": st.column_config.NumberColumn(format="localized", width=90),
    "States": st.column_config.NumberColumn(format="localized", width=70),
}


def run_list(key: str, here: str = "") -> None:
    """The table, and a field and a button that open one; here: the id of the run in view, which is marked."""
    runs = listed_runs(workdir() / "runs")
    if not runs:
        say.caption("There are no runs here yet: the first step in one keeps it.")
        return
    st.dataframe(
        _columns(runs, here),
        column_config=COLUMNS,
        hide_index=True,
        height="content" if len(runs) <= 8 else 320,
    )
    notes = ["→ is the run in view."] if here else []
    notes += [f"The {MOST} that were changed last are listed."] if len(runs) == MOST else []
    if notes:
        say.caption(" ".join(notes))
    others = {each.id: each for each in runs if each.id != here and not each.problem}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox("Run", list(others), format_func=lambda run: _title(others[run]), key=key, width=420)
        pressed = st.button("Open this run", key=f"{key}-open", disabled=chosen is None)
    for each in runs:
        if each.problem:
            say.warning(each.problem)
    if pressed and chosen:
        st.session_state.pop("dialog", None)
        look_at(chosen)
        st.rerun()


def _title(run: ListedRun) -> str:
    return f"{run.id}: {run.network}, {counted(run.states, 'state')}"


def _columns(runs: list[ListedRun], here: str) -> dict[str, list[Any]]:
    return {
        "": ["→" if each.id == here else "" for each in runs],
        "Network": [cell(each.network or "can't be read") for each in runs],
        "States": [each.states for each in runs],
        "Units left": [each.units for each in runs],
        "Accuracy": [list(each.accuracies) for each in runs],
        "Changed": [datetime.fromtimestamp(each.changed, UTC) for each in runs],
        "Run": [each.id for each in runs],
    }
