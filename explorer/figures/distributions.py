"""Where the cheap units are: one histogram strip a layer, in network order, on one common scale."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.core.errors import BadInput
from explorer.core.palette import KEPT, REMOVED
from explorer.core.text import plotly
from explorer.figures.binning import Scale, scale_for
from explorer.figures.ridges import LayerValues, RidgeRow, quartiles, ridges, thresholds, totals, zero_bins, zero_place
from explorer.figures.style import blank_figure

__all__ = ["LayerValues", "distributions"]


def distributions(layers: Sequence[LayerValues], *, criterion: str, value_unit: str = "", bins: int = 48) -> go.Figure:
    """Ridges of saliency, the input's layer on top; vermilion what goes, blue what stays.

    Each row's tallest bin has the same height, so that shapes compare. Under each ridge lies the line from the first
    to the third quartile with a mark at the median. On a logarithmic scale exact zeros stand in a bin of their own.
    criterion: its name in words; value_unit: such as "nats".
    """
    if not layers or not all(len(layer.values) for layer in layers):
        raise BadInput("Distributions need at least one layer, and at least one unit in each.")
    scale = scale_for(np.concatenate([np.ravel(layer.values) for layer in layers]), bins)
    rows = [RidgeRow(layer, float(len(layers) - 1 - i), scale) for i, layer in enumerate(layers)]
    fig = blank_figure(
        _alt(layers, criterion, scale), height=96 + round(len(layers) * _row_height(len(layers))), bargap=0
    )
    fig.update_layout(barmode="overlay")
    for removed, color, label in ((True, REMOVED, "removed"), (False, KEPT, "kept")):
        if not removed or any(layer.gone.any() for layer in layers):
            fig.add_trace(ridges(rows, removed, color, label))
    fig.add_traces([*zero_bins(rows), *quartiles(rows), *thresholds(rows), totals(rows)])
    return _axes(fig, rows, f"{criterion} ({value_unit})" if value_unit else criterion)


def _row_height(rows: int) -> float:
    return float(np.clip(380 / rows, 18, 56))


def _axes(fig: go.Figure, rows: list[RidgeRow], title: str) -> go.Figure:
    scale = rows[0].scale
    low, high = scale.place(scale.edges[[0, -1]])
    ticks, pad = scale.ticks(), 0.01 * (high - low)
    zeros = any(row.zeros for row in rows)
    zero, width = zero_place(scale)
    fig.update_xaxes(
        range=[zero - width if zeros else low - pad, high + pad],
        tickvals=[zero] * zeros + [float(scale.place(np.array(v))) for v, _ in ticks],
        ticktext=["0"] * zeros + [text for _, text in ticks],
        title={"text": title},
    )
    fig.update_yaxes(
        range=[-0.3, len(rows)],
        tickvals=[row.base for row in rows],
        ticktext=[plotly(row.layer.name) for row in rows],
    )
    return fig.update_layout(margin={"r": 84})


def _alt(layers: Sequence[LayerValues], criterion: str, scale: Scale) -> str:
    medians = [float(np.median(layer.values)) for layer in layers]
    low, high = int(np.argmin(medians)), int(np.argmax(medians))
    total, gone = sum(len(layer.values) for layer in layers), sum(int(layer.gone.sum()) for layer in layers)
    return (
        f"Distribution of {criterion} over {total} units in {len(layers)} layers, "
        f"{'logarithmic' if scale.log else 'linear'} scale; the lowest median is {medians[low]:.3g} in "
        f"{layers[low].name}, the highest {medians[high]:.3g} in {layers[high].name}; {gone} units removed."
    )
