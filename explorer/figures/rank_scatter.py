"""One criterion's ranks against the oracle's, a point a unit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.core.errors import BadInput
from explorer.core.palette import NEUTRAL
from explorer.core.text import plotly
from explorer.figures.style import SEQUENTIAL, blank, criterion_style, f32


def rank_scatter(
    oracle: np.ndarray,
    ranks: np.ndarray,
    depth: np.ndarray,
    layer_names: Sequence[str],
    *,
    criterion: str,
    spearman: float,
    channels: np.ndarray | None = None,
    height: int = 460,
) -> go.Figure:
    """Both rank axes run towards rank 1, so the units that both call important lie at the top right.

    oracle, ranks (units,): global ranks, 1 = most important. depth (units,) int: index of each unit's layer in
    layer_names, which sets its colour. channels (units,) int: its channel in the network as loaded, for the hover
    text. spearman: the rank correlation to print, from the table it stands in. customdata holds the unit's index.
    """
    oracle, ranks, depth = np.asarray(oracle), np.asarray(ranks), np.asarray(depth)
    if not len(oracle) == len(ranks) == len(depth):
        raise BadInput(
            f"Ranks of the oracle, of the criterion and layer indices must be of one length, "
            f"not {len(oracle)}, {len(ranks)} and {len(depth)}."
        )
    label, units = criterion_style(criterion).label, len(oracle)
    alt = (
        f"Rank by {label} against rank by the oracle for {units} units in {len(layer_names)} layers: "
        f"Spearman correlation {spearman:.2f}."
    )
    fig = blank(
        alt,
        height=height,
        title={
            "text": f"Spearman {spearman:.2f}",
            "font": {"size": 14},
            "x": 0.5,
            "xanchor": "center",
            "y": 0.985,
            "yanchor": "top",
        },
        showlegend=False,
    )
    edge = units * 1.02 + 1
    fig.add_trace(_points(oracle, ranks, depth, layer_names, channels))
    fig.add_trace(
        go.Scatter(
            x=f32([1, units]),
            y=f32([1, units]),
            mode="lines",
            hoverinfo="skip",
            line={"color": NEUTRAL, "width": 1.25, "dash": "dash"},
        )
    )
    fig.update_xaxes(title={"text": "rank by the oracle, 1 = most important"}, range=[edge, 1 - units * 0.02])
    fig.update_yaxes(title={"text": f"rank by {label}"}, range=[edge, 1 - units * 0.02])
    return fig.update_layout(margin={"t": 34})


def _points(
    oracle: np.ndarray, ranks: np.ndarray, depth: np.ndarray, names: Sequence[str], channels: np.ndarray | None
) -> go.Scatter:
    size = float(np.clip(140 / np.sqrt(len(oracle)), 3.5, 8))
    shown = np.unique(np.linspace(0, len(names) - 1, min(len(names), 7)).round().astype(int))
    shuffled = np.random.default_rng(0).permutation(len(oracle))  # else the last layer hides the others
    bar = {
        "title": {"text": "layer"},
        "tickvals": shown.tolist(),
        "ticktext": [plotly(names[i]) for i in shown],
        "thickness": 10,
        "outlinewidth": 0,
        "len": 0.9,
    }
    marker = {
        "color": f32(depth[shuffled]),
        "colorscale": SEQUENTIAL,
        "cmin": 0,
        "cmax": max(len(names) - 1, 1),
        "size": size,
        "opacity": 0.85,
        "line": {"color": NEUTRAL, "width": 0.5 if size > 4 else 0},
        "colorbar": bar,
    }
    labels = (
        [plotly(names[i]) for i in depth]
        if channels is None
        else [f"{plotly(names[i])}, channel {c}" for i, c in zip(depth, channels, strict=True)]
    )
    return go.Scatter(
        x=f32(oracle[shuffled]),
        y=f32(ranks[shuffled]),
        mode="markers",
        marker=marker,
        text=[labels[i] for i in shuffled],
        customdata=shuffled.astype(np.int32),
        hovertemplate="<b>%{text}</b><br>oracle rank %{x:,}<br>criterion rank %{y:,}<extra></extra>",
    )
