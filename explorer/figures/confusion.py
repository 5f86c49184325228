"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.core.errors import BadInput
from explorer.core.text import plotly
from explorer.figures.style import DIVERGING, blank_figure, f32

_MOST_WRITTEN = 20  # classes up to which the counts are written into the cells


def confusion(counts: np.ndarray, classes: Sequence[str], *, height: int | None = None) -> go.Figure:
    """Confusion matrix: true class down, predicted class across, number of images in each cell.

    counts (classes, classes) int: row = true class. A cell's strength is the square root of its share of the row, so
    that rare errors are seen; blue is right, vermilion wrong.
    """
    counts = np.asarray(counts)
    if counts.shape != (len(classes), len(classes)):
        raise BadInput(
            f"A confusion matrix of {len(classes)} classes has shape {(len(classes), len(classes))}, "
            f"not {counts.shape}."
        )
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    strength = np.sqrt(share) * np.where(np.eye(len(classes), dtype=bool), 1, -1)
    fig = blank_figure(
        _alt(counts, classes), height=height or int(np.clip(100 + 30 * len(classes), 240, 700)), showlegend=False
    )
    names = [plotly(name) for name in classes]
    hover = [
        [
            f"true <b>{names[i]}</b>, predicted <b>{names[j]}</b><br>{counts[i, j]} of {counts[i].sum()} images, "
            f"{share[i, j]:.1%}"
            for j in range(len(classes))
        ]
        for i in range(len(classes))
    ]
    fig.add_trace(
        go.Heatmap(
            z=f32(np.where(counts > 0, strength, np.nan)),
            zmin=-1,
            zmax=1,
            colorscale=DIVERGING,
            showscale=False,
            xgap=2,
            ygap=2,
            customdata=hover,
            hovertemplate="%{customdata}<extra></extra>",
        )
    )
    if len(classes) <= _MOST_WRITTEN:
        fig.add_trace(_numbers(counts))
    return _axes(fig, names)


def _numbers(counts: np.ndarray) -> go.Scatter:
    """The counts; nothing where there are none."""
    rows, columns = np.nonzero(counts)
    return go.Scatter(
        x=columns.astype(np.float32),
        y=rows.astype(np.float32),
        mode="text",
        text=[str(n) for n in counts[rows, columns]],
        hoverinfo="skip",
    )


def _axes(fig: go.Figure, names: Sequence[str]) -> go.Figure:
    ticks = {
        "tickvals": list(range(len(names))),
        "ticktext": list(names),
        "showgrid": False,
        "ticks": "",
    }
    ends = [-0.5, len(names) - 0.5]
    fig.update_xaxes(**ticks, side="top", range=ends, title={"text": "predicted"})
    return fig.update_yaxes(**ticks, range=ends[::-1], title={"text": "true class"})


def _alt(counts: np.ndarray, classes: Sequence[str]) -> str:
    right, total = int(np.trace(counts)), int(counts.sum())
    text = f"Confusion matrix of {len(classes)} classes: {right} of {total} images right."
    errors = counts - np.diag(np.diag(counts))
    if not errors.any():
        return text
    i, j = divmod(int(np.argmax(errors)), len(classes))
    return f"{text} Most often {classes[i]} is taken for {classes[j]}, {errors[i, j]} times."
