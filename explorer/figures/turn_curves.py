"""Pruning and fine-tuning in turns, as it goes: accuracy by step, and the loss of the minibatches by update."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer.core.palette import BLUE, NEUTRAL, VERMILION
from explorer.figures.series import CUT, MARKS, PRUNED, TUNED
from explorer.figures.style import accuracy_range, blank_figure, f32

Point = tuple[float, float]


def turn_curves(
    after: Sequence[float],
    before: Sequence[float | None],
    losses: Sequence[Point],
    *,
    began: str = TUNED,
    height: int = 330,
) -> go.Figure:
    """Two panels. Above, accuracy against the step of this run, 0 = where it began; below, loss against the update.

    after, before (steps so far + 1,): accuracy as a share of 1, filled and open marks; before is None where nothing was
    fine-tuned, as at the start, whose stage is `began`, of MARKS. losses: (update, mean loss in nats of the minibatches
    around it).
    """
    fig = make_subplots(2, 1, vertical_spacing=0.25, figure=blank_figure(_alt(after, before, losses), height=height))
    open_marks = [np.nan if value is None else value for value in before]
    first, more = CUT if began in (TUNED, CUT) else PRUNED, len(after) - 2
    tuned, cut = [began, TUNED, *[TUNED] * more], [began, first, *[CUT] * more]  # longer than the lines at their start
    lines = (_accuracy(after, TUNED, BLUE, tuned, "solid"), _accuracy(open_marks, "before it", NEUTRAL, cut, "dot"))
    for line in lines:
        fig.add_trace(line, row=1, col=1)
        fig.add_trace(_entry(line), row=1, col=1)
    fig.add_trace(_loss(losses), row=2, col=1)
    fig.update_layout(margin={"b": 48})
    fig.update_xaxes(title={"text": "step", "standoff": 6}, rangemode="tozero", dtick=-(-len(after) // 8), row=1, col=1)
    fig.update_xaxes(title={"text": "update", "standoff": 6}, tickformat="d", row=2, col=1)
    fig.update_yaxes(
        title={"text": "accuracy"}, tickformat=".0%", range=accuracy_range([*after, *open_marks]), row=1, col=1
    )
    fig.update_yaxes(title={"text": "minibatch loss"}, rangemode="tozero", row=2, col=1)
    return fig


def _accuracy(values: Sequence[float], name: str, color: str, stages: Sequence[str], dash: str) -> go.Scatter:
    marks = [f"circle{MARKS[stage]}" for stage in stages[: len(values)]]
    return go.Scatter(
        x=np.arange(len(values), dtype=np.float32),
        y=f32(values),
        mode="lines+markers",
        name=name,
        line={"color": color, "width": 2, "dash": dash},
        marker={"symbol": marks, "size": 7, "line": {"width": 1.5, "color": color}, "maxdisplayed": 40},
        customdata=list(stages[: len(values)]),
        showlegend=False,
        hovertemplate="step %{x}, %{customdata}<br>accuracy %{{y:.1%}}<extra></extra>",
    )


def _entry(line: go.Scatter) -> go.Scatter:
    """The legend's: with the mark of most points, where the first has one of its own."""
    symbol = "circle" if line.name == TUNED else "circle-open"
    marker = {"symbol": symbol, "size": 7, "line": {"width": 1.5, "color": line.line.color}}
    return go.Scatter(x=[None], y=[None], mode="lines+markers", name=line.name, line=line.line, marker=marker)


def _loss(losses: Sequence[Point]) -> go.Scatter:
    return go.Scatter(
        x=f32([update for update, _ in losses]),
        y=f32([loss for _, loss in losses]),
        mode="lines",
        showlegend=False,
        line={"color": VERMILION, "width": 1.5},
        hovertemplate="update %{x}<br>minibatch loss %{y:.4f} nats<extra></extra>",
    )


def _alt(after: Sequence[float], before: Sequence[float | None], losses: Sequence[Point]) -> str:
    parts = [f"Accuracy after step {len(after) - 1}: {after[-1]:.1%}"]
    if before[-1] is not None:
        parts.append(f"{before[-1]:.1%} before its fine-tuning")
    loss = f" Loss of the minibatches at update {losses[-1][0]:.0f}: {losses[-1][1]:.4f} nats." if losses else ""
    return f"{', '.join(parts)}.{loss}"
