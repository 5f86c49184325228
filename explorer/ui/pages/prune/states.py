"""The states of a run: the tree and the table, to go anywhere, to give names, and to delete branches."""

from __future__ import annotations

from functools import partial

import streamlit as st

from explorer.core.text import cell
from explorer.evaluation.metrics import Metrics
from explorer.runs.stages import Stage, stages
from explorer.runs.timeline import LONGEST_NAME, State, made_from
from explorer.ui.choosing.steps import attempt
from explorer.ui.components.state_tree.state_tree import Node, state_tree
from explorer.ui.elements import say, wording
from explorer.ui.work.changes import delete, jump, rename
from explorer.ui.work.run_jobs import button_state, why_busy, why_needed
from explorer.ui.work.session import View


def states(view: View) -> None:
    """Every state, in a picture and in figures; a click on either goes there."""
    timeline = view.timeline
    found = stages(timeline)
    nodes = [
        Node(number, state.parent, state.name, _text(state, timeline.root.metrics, found[number]), found[number].kind)
        for number, state in timeline.states.items()
    ]
    reason = why_busy(view.run)
    state_tree(nodes, timeline.current, reason, key="tree", on_choose=partial(_go, view))
    _named(view)
    numbers = list(timeline.states)
    key = f"states-{timeline.made}-{len(numbers)}-{timeline.current}-{bool(reason)}"
    st.dataframe(
        [_row(view, number, found[number]) for number in numbers],
        hide_index=True,
        on_select="ignore" if reason else partial(_picked, view, key, numbers),
        selection_mode="single-cell",
        key=key,  # a new one for each: the same with new rows misses the next click
    )
    say.caption(f"On {view.loaded.validated_on}.")


def _picked(view: View, key: str, numbers: list[int]) -> None:
    if cells := st.session_state[key].selection.cells:
        _go(view, numbers[cells[0][0]])


def _go(view: View, number: int) -> None:
    attempt(jump, view, number)


def _named(view: View) -> None:
    number, state = view.timeline.current, view.timeline.state
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        key = f"name-{number}-{state.name}"
        st.text_input(
            f"Name of state {number}",
            state.name,
            max_chars=LONGEST_NAME,
            key=key,
            placeholder="none yet",
            width=260,
            on_change=_name,
            args=(view, number, key),  # a callback: typed while the run went on, it is not lost
        )
        going = made_from(view.timeline, number)
        st.button(
            "Delete it" if len(going) == 1 else "Delete it and all made from it",
            key="delete-state",
            on_click=attempt,
            args=(delete, view, number),
            **button_state(why_needed(view.run, going), disabled=state.parent is None, help="This can't be undone."),
        )


def _name(view: View, number: int, key: str) -> None:
    attempt(rename, view, number, st.session_state[key])


def _text(state: State, root: Metrics, stage: Stage) -> str:
    facts = [f"{what} {value} {delta}".strip() for what, value, delta in wording.facts(state.metrics, root)]
    return "; ".join([state.how, *facts, str(stage)])


def _row(view: View, number: int, stage: Stage) -> dict[str, str]:
    state, root = view.timeline.states[number], view.timeline.root.metrics
    before = state.pruned
    return {
        "State": ("→ " if number == view.timeline.current else "") + cell(state.name or number),
        "From": "" if state.parent is None else str(state.parent),
        "How": cell(state.how),
        **{what: f"{value}  {delta}".strip() for what, value, delta in wording.facts(state.metrics, root)},
        "Measured": str(stage),
        "Before fine-tuning": f"loss {before.loss:.4f}, {before.accuracy:.1%}" if before else "",
    }
