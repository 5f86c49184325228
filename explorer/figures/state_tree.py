"""The timeline as a tree: every state that was made, and from which one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from explorer.figures.style import BLUE, NEUTRAL, ORANGE, blank, translucent

LANE = 26  # pixels between two branches


@dataclass(frozen=True)
class Node:
    """One state. text: what to say of it where the pointer is; tuned: whether its step fine-tuned."""

    number: int
    parent: int | None  # None: the network as loaded
    label: str  # beside the mark; "" for none
    text: str
    tuned: bool = False


def state_tree(nodes: Sequence[Node], current: int) -> go.Figure:
    """Steps from left to right, a row for each branch; filled marks were fine-tuned, the ring is where one is.

    nodes: parents before their children. customdata holds the state's number.
    """
    depth, lane = places(nodes)
    rows = max(lane.values(), default=0) + 1
    fig = blank(_alt(nodes, current), height=96 + LANE * rows)
    fig.add_trace(_edges(nodes, depth, lane))
    fig.add_trace(_mark([current], depth, lane, size=19, color=translucent(ORANGE, 0.35), line={"width": 0}))
    for tuned in (False, True):
        chosen = [node for node in nodes if node.tuned == tuned]
        marks = _mark(
            [n.number for n in chosen], depth, lane, size=10, color=BLUE,
            symbol="circle" if tuned else "circle-open", line={"width": 2, "color": BLUE},
        )  # fmt: skip
        marks.update(
            text=[n.label for n in chosen],
            mode="markers+text",
            textposition="top center",
            customdata=[n.number for n in chosen],
            hovertext=[n.text for n in chosen],
            hovertemplate="%{hovertext}<extra></extra>",
        )
        fig.add_trace(marks)
    last = max(depth.values(), default=0)
    fig.update_xaxes(
        title={"text": "steps from the network as loaded"}, range=[-0.5, last + 0.5], dtick=max(1, last // 10)
    )
    fig.update_yaxes(visible=False, range=[rows - 0.4, -0.9])
    return fig.update_layout(showlegend=False, clickmode="event+select")


def places(nodes: Sequence[Node]) -> tuple[dict[int, int], dict[int, int]]:
    """State -> steps from the root, and its row: a first child goes on in its parent's, others begin one below all."""
    depth: dict[int, int] = {}
    lane: dict[int, int] = {}
    continued: set[int | None] = set()
    for node in nodes:
        depth[node.number] = 0 if node.parent is None else depth[node.parent] + 1
        first = node.parent is not None and node.parent not in continued
        lane[node.number] = (
            lane[node.parent] if first and node.parent is not None else max(lane.values(), default=-1) + 1
        )
        continued.add(node.parent)
    return depth, lane


def _edges(nodes: Sequence[Node], depth: Mapping[int, int], lane: Mapping[int, int]) -> go.Scatter:
    x: list[int | None] = []
    y: list[int | None] = []
    for node in nodes:
        if node.parent is not None:
            x += [depth[node.parent], depth[node.number], None]
            y += [lane[node.parent], lane[node.number], None]
    return go.Scatter(x=x, y=y, mode="lines", line={"color": translucent(NEUTRAL, 0.6), "width": 2}, hoverinfo="skip")


def _mark(numbers: Sequence[int], depth: Mapping[int, int], lane: Mapping[int, int], **marker: object) -> go.Scatter:
    x, y = [depth[number] for number in numbers], [lane[number] for number in numbers]
    return go.Scatter(x=x, y=y, mode="markers", marker=marker, hoverinfo="skip")


def _alt(nodes: Sequence[Node], current: int) -> str:
    ends = len({node.number for node in nodes} - {node.parent for node in nodes})
    branches = "one line" if ends == 1 else f"{ends} branches"
    return f"Tree of {len(nodes)} states in {branches}, at state {current}."
