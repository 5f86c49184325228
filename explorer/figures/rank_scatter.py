"""One criterion's ranks against the oracle's, a point a unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explorer.core.errors import BadInput
from explorer.core.palette import NEUTRAL
from explorer.core.text import plotly
from explorer.figures.style import SEQUENTIAL, blank_figure, criterion_style, f32


@dataclass(frozen=True, eq=False)
class RankedUnits:
    """Units in two rankings; ranks are global, 1 = most important."""

    oracle: np.ndarray  # (units,)
    criterion: np.ndarray  # (units,)
    depth: np.ndarray  # (units,) int: index of the unit's layer in `layer_names`
    layer_names: Sequence[str]
    channels: np.ndarray | None = None  # (units,) int: in the network as loaded, for the hover text

    def __post_init__(self) -> None:
        if not len(self.oracle) == len(self.criterion) == len(self.depth):
            raise BadInput(
                f"Ranks of the oracle, of the criterion and layer indices must be of one length, "
                f"not {len(self.oracle)}, {len(self.criterion)} and {len(self.depth)}."
            )

    def names(self) -> list[str]:
        """The name of each unit in hover texts."""
        layers = [plotly(self.layer_names[i]) for i in self.depth]
        if self.channels is None:
            return layers
        return [f"{layer}, channel {c}" for layer, c in zip(layers, self.channels, strict=True)]


def rank_scatter(ranked: RankedUnits, *, criterion: str, spearman: float, height: int = 460) -> go.Figure:
    """Rank 1 stands where both axes begin, so the units that both call important lie at the bottom left.

    The colour is the unit's layer. spearman: the rank correlation to print, from the table it stands in. customdata
    holds the unit's index.
    """
    label, units = criterion_style(criterion).label, len(ranked.oracle)
    alt = (
        f"Rank by {label} against rank by the oracle for {units} units in {len(ranked.layer_names)} layers: "
        f"Spearman correlation {spearman:.2f}."
    )
    fig = blank_figure(
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
    ends = [1 - units * 0.02, units * 1.02 + 1]
    fig.add_trace(_points(ranked))
    fig.add_trace(
        go.Scatter(
            x=f32([1, units]),
            y=f32([1, units]),
            mode="lines",
            hoverinfo="skip",
            line={"color": NEUTRAL, "width": 1.25, "dash": "dash"},
        )
    )
    fig.update_xaxes(title={"text": "rank by the oracle, 1 = most important"}, range=ends)
    fig.update_yaxes(title={"text": f"rank by {label}"}, range=ends)
    return fig.update_layout(margin={"t": 34})


def _points(ranked: RankedUnits) -> go.Scatter:
    oracle, names, labels = ranked.oracle, ranked.layer_names, ranked.names()
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
        "color": f32(ranked.depth[shuffled]),
        "colorscale": SEQUENTIAL,
        "cmin": 0,
        "cmax": max(len(names) - 1, 1),
        "size": size,
        "opacity": 0.85,
        "line": {"color": NEUTRAL, "width": 0.5 if size > 4 else 0},
        "colorbar": bar,
    }
    return go.Scatter(
        x=f32(oracle[shuffled]),
        y=f32(ranked.criterion[shuffled]),
        mode="markers",
        marker=marker,
        text=[labels[i] for i in shuffled],
        customdata=shuffled.astype(np.int32),
        hovertemplate="<b>%{text}</b><br>oracle rank %{x:,}<br>criterion rank %{y:,}<extra></extra>",
    )
