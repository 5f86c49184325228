"""The states of a run: the tree and the table, to go anywhere, to give names, and to delete branches."""

from __future__ import annotations

import streamlit as st

from explorer.figures.state_tree import Node, state_tree
from explorer.timeline import LONGEST_NAME, Metrics, State, rename
from explorer.ui import wording
from explorer.ui.chart import clickable_chart
from explorer.ui.session import View, change, delete, jump
from explorer.ui.steps import attempt


def states(view: View) -> None:
    """Every state, in a picture and in figures; a click on either goes there."""
    timeline = view.timeline
    key = f"{timeline.made}-{len(timeline.states)}-{timeline.current}"
    nodes = [
        Node(number, state.parent, state.name, _text(number, state, timeline.root.metrics), state.updates > 0)
        for number, state in timeline.states.items()
    ]
    _go(view, clickable_chart(state_tree(nodes, timeline.current), f"tree-{key}"))
    _named(view)
    numbers = list(timeline.states)
    picked = st.dataframe(
        [_row(view, number) for number in numbers], hide_index=True, on_select="rerun",
        selection_mode="single-cell", key=f"states-{key}",
    )  # fmt: skip
    _go(view, numbers[picked.selection.cells[0][0]] if picked.selection.cells else None)
    st.caption(
        "Click a state to go to it. Open marks: measured before fine-tuning; filled: after the fine-tuning of that "
        f"step. On {view.loaded.validated_on}."
    )


def _go(view: View, number: int | None) -> None:
    if number is not None and number != view.timeline.current:
        attempt(jump, number)
        st.rerun()


def _named(view: View) -> None:
    number, state = view.timeline.current, view.timeline.state
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        name = st.text_input(
            f"Name of state {number}", state.name, max_chars=LONGEST_NAME, key=f"name-{number}-{state.name}",
            placeholder="none yet", width=260,
        )  # fmt: skip
        if name != state.name:
            attempt(change, lambda timeline: rename(timeline, number, name))
            st.rerun()
        made = sum(number in (other.parent, place) for place, other in view.timeline.states.items())
        st.button(
            "Delete it" if made == 1 else "Delete it and all made from it", key="delete-state",
            disabled=state.parent is None, on_click=attempt, args=(delete, number),
            help="This can't be undone.",
        )  # fmt: skip


def _text(number: int, state: State, root: Metrics) -> str:
    facts = [f"{what} {value} {delta}".strip() for what, value, delta in wording.facts(state.metrics, root)]
    return "<br>".join([f"<b>State {number}{': ' + state.name if state.name else ''}</b>", state.how, *facts])


def _row(view: View, number: int) -> dict[str, str]:
    state, root = view.timeline.states[number], view.timeline.root.metrics
    before = state.pruned
    return {
        "State": ("→ " if number == view.timeline.current else "") + (state.name or str(number)),
        "From": "" if state.parent is None else str(state.parent),
        "How": state.how,
        **{what: f"{value}  {delta}".strip() for what, value, delta in wording.facts(state.metrics, root)},
        "Before fine-tuning": f"loss {before.loss:.4f}, {before.accuracy:.1%}" if before else "",
    }
