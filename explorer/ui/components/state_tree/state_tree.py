"""The timeline as a tree: every state that was made, and from which one; a click or Enter goes there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from explorer.figures.style import abridged
from explorer.runs.stages import LOADED, STAGES
from explorer.ui.components.component import component

_component = component(__file__)

LONGEST = 18  # characters of a name beside its mark


@dataclass(frozen=True)
class Node:
    """One state. text: its hover text; stage: the kind of its stage."""

    number: int
    parent: int | None  # None: the network as loaded
    name: str  # "" for none
    text: str
    stage: str = LOADED


def state_tree(
    nodes: Sequence[Node], current: int, locked: str = "", *, key: str, on_choose: Callable[[int], None]
) -> None:
    """Steps from left to right, a row for each branch; marks say the stages, the ring is where one is.

    nodes: parents before their children. locked: why no state can be chosen now, or "". on_choose gets the number of
    the state that a click or Enter chose.
    """

    def tell() -> None:
        if (number := getattr(st.session_state.get(key), "chosen", None)) is not None:
            on_choose(int(number))

    _component(key=key, data={**tree_data(nodes, current), "locked": locked}, on_chosen_change=tell)


def tree_data(nodes: Sequence[Node], current: int) -> dict[str, object]:
    """The data that the browser draws: each state in its column (steps from the root) and row."""
    depth, row = places(nodes)
    states = [
        {
            "number": node.number,
            "parent": node.parent,
            "column": depth[node.number],
            "row": row[node.number],
            "label": abridged(node.name, LONGEST),
            "text": f"State {node.number}{f', {node.name}' if node.name else ''}: {node.text}",
            "stage": node.stage,
        }
        for node in nodes
    ]
    met = {node.stage for node in nodes} - {LOADED}  # which the first mark is for
    stages = [stage for stage in STAGES if stage in met]
    return {"states": states, "current": current, "summary": _summary(nodes, current), "stages": stages}


def places(nodes: Sequence[Node]) -> tuple[dict[int, int], dict[int, int]]:
    """State -> steps from the root, and its row: a first child goes on in its parent's, others begin one below all."""
    depth: dict[int, int] = {}
    row: dict[int, int] = {}
    continued: set[int | None] = set()
    for node in nodes:
        depth[node.number] = 0 if node.parent is None else depth[node.parent] + 1
        first = node.parent is not None and node.parent not in continued
        row[node.number] = row[node.parent] if first and node.parent is not None else max(row.values(), default=-1) + 1
        continued.add(node.parent)
    return depth, row


def _summary(nodes: Sequence[Node], current: int) -> str:
    ends = len({node.number for node in nodes} - {node.parent for node in nodes})
    branches = "one line" if ends == 1 else f"{ends} branches"
    return f"Tree of {len(nodes)} states in {branches}, at state {current}"
