"""What choices of as many units cost: loss and accuracy of each, before and after fine-tuning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer.core.palette import NEUTRAL, WHITE, translucent
from explorer.core.text import plotly
from explorer.figures.style import GRID, blank_figure

Level = tuple[float, float, float]  # value, and the ends of its 95 % interval


@dataclass(frozen=True)
class ContestRow:
    """One choice; the levels after fine-tuning where there are any."""

    name: str
    color: str
    loss: Level  # nats
    accuracy: Level  # 0 to 1
    tuned_loss: Level | None = None
    tuned_accuracy: Level | None = None


@dataclass(frozen=True)
class Unpruned:
    """The network as loaded."""

    loss: float
    accuracy: float


def contest_bars(rows: Sequence[ContestRow], whole: Unpruned, images: int) -> go.Figure:
    """Horizontal bars with whiskers, loss above accuracy; a line where the network as loaded is."""
    tuned = any(row.tuned_loss for row in rows)
    height = 180 + (64 if tuned else 44) * len(rows)
    fig = make_subplots(rows=2, cols=1, vertical_spacing=0.27, figure=blank_figure(_alt(rows, images), height=height))
    for place, quantity in ((1, "loss"), (2, "accuracy")):
        fig.add_trace(_bars(rows, quantity, "without fine-tuning", {}), place, 1)
        if tuned:
            hatch = {"shape": "/", "size": 5, "solidity": 0.35, "fgcolor": translucent(WHITE, 0.75)}
            fig.add_trace(_bars(rows, f"tuned_{quantity}", "after fine-tuning", {"pattern": hatch}), place, 1)
        before = getattr(whole, quantity)
        fig.add_vline(x=before, line={"color": NEUTRAL, "dash": "dash", "width": 1.5}, row=place, col=1)
    fig.update_layout(barmode="group", bargap=0.3, showlegend=False)
    fig.update_yaxes(autorange="reversed", showgrid=False, automargin=True)
    fig.update_xaxes(gridcolor=GRID, zeroline=False, automargin=True)
    fig.update_xaxes(title={"text": "loss, nats (less is better)"}, range=[0, _top(rows, whole)], row=1, col=1)
    fig.update_xaxes(title={"text": "accuracy"}, range=[0, 1.02], tickformat=".0%", row=2, col=1)
    return fig


def _top(rows: Sequence[ContestRow], whole: Unpruned) -> float:
    levels = [level for row in rows for level in (row.loss, row.tuned_loss) if level]
    return 1.06 * max(whole.loss, *(high for _, _, high in levels))


def _bars(rows: Sequence[ContestRow], quantity: str, stage: str, marker: dict[str, object]) -> go.Bar:
    shown = [(row, level) for row in rows if (level := getattr(row, quantity))]
    form = ".4f" if quantity.endswith("loss") else ".1%"
    hover = [
        f"<b>{plotly(row.name)}</b>, {stage}<br>{quantity.removeprefix('tuned_')} {value:{form}}, "
        f"95 %: {low:{form}} to {high:{form}}"
        for row, (value, low, high) in shown
    ]
    values, lows, highs = zip(*(level for _, level in shown), strict=True)
    return go.Bar(
        x=values,
        y=[plotly(row.name) for row, _ in shown],
        orientation="h",
        name=stage,
        marker={"color": [row.color for row, _ in shown], "line": {"width": 0}, **marker},
        error_x={
            "type": "data",
            "array": [high - value for value, high in zip(values, highs, strict=True)],
            "arrayminus": [value - low for value, low in zip(values, lows, strict=True)],
            "color": NEUTRAL,
            "thickness": 1.5,
        },
        customdata=hover,
        hovertemplate="%{customdata}<extra></extra>",
    )


def _alt(rows: Sequence[ContestRow], images: int) -> str:
    parts = "; ".join(f"{row.name}: loss {row.loss[0]:.4f} nats, {row.accuracy[0]:.1%} right" for row in rows)
    return f"Loss and accuracy of each choice on {images:,} images, with 95 % intervals. {parts}."
