"""How wide each layer is before and after: what a plan would take, or what an export has left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explorer.core.errors import BadInput
from explorer.core.palette import KEPT, REMOVED
from explorer.core.text import plotly
from explorer.figures.style import blank_figure, f32


@dataclass(frozen=True)
class DrawnWidth:
    """kept of total feature maps of one layer."""

    name: str
    kept: int
    total: int


def widths(layers: Sequence[DrawnWidth], *, height: int | None = None) -> go.Figure:
    """Horizontal bars, the input's layer on top: kept in solid blue, removed in hatched vermilion, numbers behind."""
    if not layers:
        raise BadInput("Widths need at least one layer, and none was given.")
    rows = len(layers)
    fig = blank_figure(_alt(layers), height=height or 56 + round(rows * float(np.clip(300 / rows, 16, 34))))
    fig.update_layout(barmode="stack", bargap=0.22, legend={"traceorder": "normal"})
    y = np.arange(rows, dtype=np.float32)
    kept, total = (np.array([getattr(layer, name) for layer in layers]) for name in ("kept", "total"))
    hover = [
        f"<b>{plotly(layer.name)}</b><br>{layer.kept} of {layer.total} kept, {layer.total - layer.kept} removed"
        for layer in layers
    ]
    fig.add_trace(_bars(y, kept, "kept", {"color": KEPT, "line": {"width": 0}}, hover))
    hatch = {"shape": "/", "size": 5, "solidity": 0.3}
    fig.add_trace(_bars(y, total - kept, "removed", {"color": REMOVED, "line": {"width": 0}, "pattern": hatch}, hover))
    fig.add_trace(
        go.Scatter(
            x=f32(total),
            y=y,
            mode="text",
            textposition="middle right",
            cliponaxis=False,
            text=[f" {a}" if a == b else f" {a} of {b}" for a, b in zip(kept, total, strict=True)],
            hoverinfo="skip",
            showlegend=False,
        )
    )
    fig.update_xaxes(title={"text": "feature maps"}, range=[0, float(total.max()) * 1.02])
    fig.update_yaxes(
        tickvals=list(range(rows)),
        ticktext=[plotly(layer.name) for layer in layers],
        range=[rows - 0.5, -0.5],
        showgrid=False,
    )
    return fig.update_layout(margin={"r": 72})


def _bars(y: np.ndarray, x: np.ndarray, name: str, marker: dict[str, object], hover: list[str]) -> go.Bar:
    return go.Bar(
        x=f32(x),
        y=y,
        orientation="h",
        name=name,
        marker=marker,
        customdata=hover,
        hovertemplate="%{customdata}<extra></extra>",
    )


def _alt(layers: Sequence[DrawnWidth]) -> str:
    kept, total = sum(layer.kept for layer in layers), sum(layer.total for layer in layers)
    most = min(layers, key=lambda layer: layer.kept / max(layer.total, 1))
    return (
        f"{kept} of {total} feature maps kept in {len(layers)} layers; "
        f"{most.name} loses the largest share, {most.total - most.kept} of {most.total}."
    )
