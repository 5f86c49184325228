"""How well each criterion orders the units as the oracle does (Table 1 of Molchanov et al. 2017, arXiv:1611.06440)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.core.errors import BadInput
from explorer.figures.style import DIVERGING, blank_figure, criterion_style, f32

COLUMNS = ("per layer", "all layers", "all layers, l2")


def correlation(
    table: Mapping[str, Sequence[float]],
    *,
    columns: Sequence[str] = COLUMNS,
    what: str = "Spearman correlation",
    intervals: Mapping[str, Sequence[tuple[float, float]]] | None = None,
    height: int | None = None,
) -> go.Figure:
    """Heat map of an agreement with oracle-abs, the best criterion (mean of its row) on top.

    table: criterion -> one figure a column, -1 to 1; NaN stands for "not defined" and is shown as a dash.
    what: the figure, its first word by the colours: "Spearman correlation", "Kendall correlation", "Overlap".
    intervals: criterion -> (low, high) a column, told where the pointer is.
    """
    if not table:
        raise BadInput("The correlation table needs at least one criterion, and it is empty.")
    names = sorted(table, key=lambda name: _mean(table[name]))  # plotly draws the first row at the bottom
    values = np.array([table[name] for name in names], np.float64)
    if values.shape != (len(names), len(columns)):
        raise BadInput(f"Each criterion needs {len(columns)} correlations, one for each of {', '.join(columns)}.")
    labels = [criterion_style(name).label for name in names]
    fig = blank_figure(_alt(what, labels, values, columns), height=height or 88 + 34 * len(names), showlegend=False)
    spans = [(intervals or {}).get(name, [None] * len(columns)) for name in names]
    hover = [
        [_hover(label, *cell) for cell in zip(columns, row, span, strict=True)]
        for label, row, span in zip(labels, values, spans, strict=True)
    ]
    fig.add_trace(
        go.Heatmap(
            z=f32(values),
            x=list(columns),
            y=labels,
            zmin=-1,
            zmax=1,
            colorscale=DIVERGING,
            xgap=3,
            ygap=3,
            customdata=hover,
            hovertemplate="%{customdata}<extra></extra>",
            colorbar={
                "thickness": 10,
                "outlinewidth": 0,
                "tickvals": [-1, -0.5, 0, 0.5, 1],
                "title": {"text": what.partition(" ")[0]},
            },
        )
    )
    fig.add_trace(_numbers(labels, values, columns))
    fig.update_xaxes(side="top", showgrid=False, ticks="")
    fig.update_yaxes(showgrid=False, ticks="")
    return fig


def _hover(label: str, column: str, value: float, span: tuple[float, float] | None) -> str:
    written = f"<b>{label}</b><br>{column}: {value:.4f}"
    return f"{written}<br>95% of resampled images: {span[0]:.3f} to {span[1]:.3f}" if span else written


def _mean(row: Sequence[float]) -> float:
    known = np.asarray(row, np.float64)
    known = known[np.isfinite(known)]
    return float(known.mean()) if known.size else -2.0


def _numbers(labels: list[str], values: np.ndarray, columns: Sequence[str]) -> go.Scatter:
    """The written numbers."""
    rows, cols = np.indices(values.shape).reshape(2, -1)
    return go.Scatter(
        x=[columns[c] for c in cols],
        y=[labels[r] for r in rows],
        mode="text",
        textfont={"size": 14},
        text=[_written(value) for value in values.ravel()],
        hoverinfo="skip",
    )


def _written(value: float) -> str:
    return f"{value:.2f}".replace("-", "−") if np.isfinite(value) else "–"


def _alt(what: str, labels: list[str], values: np.ndarray, columns: Sequence[str]) -> str:
    rows = [
        f"{label} " + ", ".join("undefined" if np.isnan(v) else f"{v:.2f}" for v in row)
        for label, row in zip(labels[::-1], values[::-1], strict=True)
    ]
    return f"{what} with the oracle ({'; '.join(columns)}): " + "; ".join(rows) + "."
