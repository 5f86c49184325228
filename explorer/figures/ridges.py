"""The traces of a ridge plot: histograms, zero bins, quartiles and thresholds of each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import plotly.graph_objects as go

from explorer.core.palette import KEPT, NEUTRAL, REMOVED, WHITE
from explorer.core.text import plotly
from explorer.figures.binning import Scale
from explorer.figures.style import f32

_RIDGE = 0.76  # of a row's height: the tallest bin; the rest holds the quartile line


@dataclass(frozen=True, eq=False)
class LayerValues:
    """One layer's saliencies.

    values (units,): any finite unit, higher = keep. removed (units,) bool: the units that would go; where it is not
    given, those strictly below the threshold. threshold: in the unit of the values, or None for no line.
    """

    name: str
    values: np.ndarray
    removed: np.ndarray | None = None
    threshold: float | None = None

    @cached_property
    def gone(self) -> np.ndarray:
        """(units,) bool: the units drawn as removed."""
        if self.removed is not None:
            return np.asarray(self.removed, bool)
        return np.asarray(self.values) < (-np.inf if self.threshold is None else self.threshold)


@dataclass(frozen=True, eq=False)
class RidgeRow:
    """One layer on the common scale; base: the y of its foot, 1 a row."""

    layer: LayerValues
    base: float
    scale: Scale

    @cached_property
    def counts(self) -> tuple[np.ndarray, np.ndarray]:
        """(removed, kept), each (bins,)."""
        gone, values = self.layer.gone, np.asarray(self.layer.values)
        return self.scale.count(values[gone]), self.scale.count(values[~gone])

    @cached_property
    def unit(self) -> float:
        """Height of one unit: the row's tallest bin fills the ridge."""
        removed, kept = self.counts
        return _RIDGE / max(int((removed + kept).max()), 1)

    @cached_property
    def zeros(self) -> int:
        """How many values stand in the zero bin."""
        return self.scale.zeros(self.layer.values)


def ridges(rows: Sequence[RidgeRow], removed: bool, color: str, label: str) -> go.Bar:
    """Removed units at the foot of each bin, kept ones on top of them."""
    x, base, height, width, hover = [], [], [], [], []
    for row in rows:
        gone, kept = row.counts
        here, below = (gone, np.zeros_like(gone)) if removed else (kept, gone)
        left, right = (row.scale.place(edges) for edges in (row.scale.edges[:-1], row.scale.edges[1:]))
        for i in np.flatnonzero(here):
            x.append((left[i] + right[i]) / 2)
            width.append((right[i] - left[i]) * 0.92)
            base.append(row.base + below[i] * row.unit)
            height.append(here[i] * row.unit)
            span = f"{row.scale.edges[i]:.3g} to {row.scale.edges[i + 1]:.3g}"
            hover.append(
                f"<b>{plotly(row.layer.name)}</b><br>{here[i]} of {len(row.layer.values)} units {label}<br>{span}"
            )
    return go.Bar(
        x=f32(x),
        y=f32(height),
        base=f32(base),
        width=f32(width),
        name=label,
        customdata=hover,
        marker={"color": color, "line": {"width": 0}, "opacity": 0.9},
        hovertemplate="%{customdata}<extra></extra>",
    )


def zero_bins(rows: Sequence[RidgeRow]) -> list[go.Bar | go.Scatter]:
    """One hatched bar a row at the left for exact zeros, cut off at the ridge's height, and their number beside it."""
    rows = [row for row in rows if row.zeros]
    if not rows:
        return []
    place, width = zero_place(rows[0].scale)
    gone = [bool(row.layer.gone[np.asarray(row.layer.values) == 0].any()) for row in rows]
    return [
        go.Bar(
            x=f32([place] * len(rows)),
            width=f32([width] * len(rows)),
            y=f32([min(_RIDGE, row.zeros * row.unit) for row in rows]),
            base=f32([row.base for row in rows]),
            marker={
                "color": [REMOVED if g else KEPT for g in gone],
                "line": {"width": 0},
                "pattern": {"shape": "/", "size": 5, "solidity": 0.3, "fillmode": "overlay", "fgcolor": WHITE},
            },
            customdata=[
                f"<b>{plotly(r.layer.name)}</b><br>{r.zeros} of {len(r.layer.values)} units are exactly 0" for r in rows
            ],
            hovertemplate="%{customdata}<extra></extra>",
            showlegend=False,
        ),
        _labels(rows, place + width / 2, [f" {row.zeros}" for row in rows]),
    ]


def zero_place(scale: Scale) -> tuple[float, float]:
    """(centre, width) of the zero bin on the axis, left of the first edge."""
    low, high = scale.place(scale.edges[[0, -1]])
    return float(low - 0.07 * (high - low)), float(0.03 * (high - low))


def quartiles(rows: Sequence[RidgeRow]) -> list[go.Scatter]:
    """Under each ridge, the line from the first to the third quartile, and the median's mark."""
    q = np.array([np.quantile(np.asarray(row.layer.values, np.float64), [0.25, 0.5, 0.75]) for row in rows])
    y = np.array([row.base - 0.1 for row in rows])
    places, gap = rows[0].scale.place(q), np.full(len(rows), np.nan)
    hover = [
        f"<b>{plotly(row.layer.name)}</b><br>median {m:.4g}<br>quartiles {a:.4g} to {b:.4g}"
        for row, (a, m, b) in zip(rows, q, strict=True)
    ]
    line = go.Scatter(
        x=f32(np.column_stack([places[:, 0], places[:, 2], gap]).ravel()),
        y=f32(np.repeat(y, 3)),
        mode="lines",
        line={"color": NEUTRAL, "width": 1.5},
        hoverinfo="skip",
        name="quartiles, median",
        legendgroup="quartiles",
        showlegend=False,
    )
    marks = go.Scatter(
        x=f32(places[:, 1]),
        y=f32(y),
        mode="markers",
        name="quartiles, median",
        legendgroup="quartiles",
        customdata=hover,
        hovertemplate="%{customdata}<extra></extra>",
        marker={"symbol": "diamond", "size": 6 if len(rows) <= 20 else 4, "color": NEUTRAL},
    )
    return [line, marks]


def thresholds(rows: Sequence[RidgeRow]) -> list[go.Scatter]:
    """A line across each row that has a threshold."""
    held = [(row, row.layer.threshold) for row in rows if row.layer.threshold is not None]
    if not held:
        return []
    x = [[float(row.scale.place(np.array(t)))] * 2 + [np.nan] for row, t in held]
    y = [[row.base - 0.2, row.base + 0.8, np.nan] for row, _ in held]
    return [
        go.Scatter(
            x=f32(np.ravel(x)),
            y=f32(np.ravel(y)),
            mode="lines",
            name="threshold",
            line={"color": NEUTRAL, "width": 1.5},
            hoverinfo="skip",
        )
    ]


def totals(rows: Sequence[RidgeRow]) -> go.Scatter:
    """At the right edge of each row: how many of its units go, or how many there are."""
    right = rows[0].scale.place(rows[0].scale.edges[-1:])[0]
    texts = [
        f"  −{row.layer.gone.sum()} of {len(row.layer.values)}"
        if row.layer.gone.any()
        else f"  {len(row.layer.values)}"
        for row in rows
    ]
    return _labels(rows, float(right), texts)


def _labels(rows: Sequence[RidgeRow], x: float, texts: list[str]) -> go.Scatter:
    return go.Scatter(
        x=f32([x] * len(rows)),
        y=f32([row.base + 0.22 for row in rows]),
        mode="text",
        text=texts,
        textposition="middle right",
        cliponaxis=False,
        hoverinfo="skip",
        showlegend=False,
    )
