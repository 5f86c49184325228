"""The runs of this work folder in a table, to open, name and delete them, and to bring deleted ones back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from explorer.core.text import cell, counted
from explorer.runs.deleted import KEPT, RUNS, delete_run, deleted_runs, drop_deleted, restore_run
from explorer.runs.listing import MOST, ListedRun, listed_runs
from explorer.runs.run_folders import name_run
from explorer.runs.timeline import LONGEST_NAME
from explorer.ui.choosing.steps import attempt
from explorer.ui.elements import say
from explorer.ui.elements.boundary import tell
from explorer.ui.work.address import forget, look_at
from explorer.ui.work.run_jobs import button_state, check, why_needed
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
    """The table, and what can be done with one of them; here: the id of the run in view, which is marked."""
    if problem := st.session_state.pop("problem", None):
        tell(problem)
    if runs := listed_runs(workdir() / RUNS):
        _table(runs, here)
        _one(runs, key, here)
    else:
        say.caption("There are no runs here: the first step in one keeps it.")
    _deleted(key)


def _table(runs: list[ListedRun], here: str) -> None:
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
    for each in runs:
        if each.problem:
            say.warning(each.problem)


def _one(runs: list[ListedRun], key: str, here: str) -> None:
    """The fields and buttons that open, name and delete the run that is chosen; the one in view is the last choice."""
    known = {each.id: each for each in sorted(runs, key=lambda each: each.id == here)}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = known[st.selectbox("Run", list(known), format_func=lambda run: title(known[run]), key=key, width=420)]
        in_view = "This run is in view." if chosen.id == here else ""
        if st.button("Open this run", key=f"{key}-open", **button_state(in_view or chosen.problem)):
            st.session_state.pop("dialog", None)
            look_at(chosen.id)
            st.rerun()
    field = f"{key}-name-{chosen.id}-{chosen.name}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "Name of this run",
            chosen.name,
            max_chars=LONGEST_NAME,
            key=field,
            placeholder="none yet",
            width=420,
            disabled=bool(chosen.problem),
            on_change=_name,
            args=(chosen.id, field),
        )
        st.button(
            "Delete this run",
            key=f"{key}-delete",
            on_click=attempt,
            args=(_delete, chosen),
            **button_state(
                in_view and f"{in_view} Open another first.", help=f"The last {KEPT} deleted runs can be brought back."
            ),
        )


def _name(run: str, field: str) -> None:
    attempt(name_run, workdir() / RUNS / run, st.session_state[field])


def _delete(run: ListedRun) -> None:
    check(why_needed(run.id, run.numbers))
    delete_run(workdir(), run.id)
    forget(run.id)


def _deleted(key: str) -> None:
    """The runs that were deleted, to bring one back, the last first, or to delete them for good."""
    gone = {each.id: each for each in deleted_runs(workdir())}
    if not gone:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "Deleted run",
            list(gone),
            format_func=lambda run: title(gone[run]),
            key=f"{key}-gone-{next(iter(gone))}",  # the one that was deleted last is chosen
            width=420,
        )
        st.button("Undo the deletion", key=f"{key}-restore", on_click=attempt, args=(restore_run, workdir(), chosen))
        st.button("Delete all for good", key=f"{key}-drop", on_click=attempt, args=(drop_deleted, workdir()))
    say.caption(f"The last {KEPT} runs that were deleted are kept, also after a restart; older ones are gone.")


def title(run: ListedRun) -> str:
    """A run in a list of choices; streamlit shows it as it is."""
    called = f"{run.name}, {run.id}" if run.name else run.id
    return f"{called}: {run.network or 'can’t be read'}, {counted(run.states, 'state')}"


def _columns(runs: list[ListedRun], here: str) -> dict[str, list[Any]]:
    return {
        "": ["→" if each.id == here else "" for each in runs],
        **({"Name": [cell(each.name) for each in runs]} if any(each.name for each in runs) else {}),
        "Network": [cell(each.network or "can't be read") for each in runs],
        "States": [each.states for each in runs],
        "Units left": [each.units for each in runs],
        "Accuracy": [list(each.accuracies) for each in runs],
        "Changed": [datetime.fromtimestamp(each.changed, UTC) for each in runs],
        "Run": [each.id for each in runs],
    }
