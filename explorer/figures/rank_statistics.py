"""Global rank statistics by layer (Fig. 2 of Molchanov et al. 2017, arXiv:1611.06440)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer.core.errors import BadInput
from explorer.core.palette import LIGHT, NEUTRAL, ORANGE, WHITE, translucent
from explorer.core.text import plotly
from explorer.figures.style import GRID, blank_figure, criterion_style, f32

_MOST_NAMED = 28  # layers up to which each is named on the axis
_UPRIGHT = 8  # layers up to which the names lie flat where there is room


@dataclass(frozen=True, eq=False)
class LayerRanks:
    """One layer's ranks over the whole network.

    ranks (units,): 1 = most important of all units, ties share their mean rank. pooled: a max-pooling follows.
    """

    name: str
    ranks: np.ndarray
    pooled: bool = False


@dataclass(frozen=True, eq=False)
class RankPanel:
    """The ranks of one criterion: its name in the table of styles, and its layers from the input on."""

    criterion: str
    layers: Sequence[LayerRanks]


def rank_statistics(panels: Sequence[RankPanel], *, height: int | None = None) -> go.Figure:
    """Panels side by side with one rank axis, rank 1 on top: whisker min to max, box of quartiles, mark at the median.

    Layers that a max-pooling follows have a triangle at the foot and a hatched box.
    """
    if not panels or not all(len(panel.layers) for panel in panels):
        raise BadInput("Rank statistics need at least one panel, and each panel at least one layer.")
    crowded = max(len(panel.layers) for panel in panels) > _UPRIGHT
    style = blank_figure(_alt(panels), height=height or (470 if crowded else 400))
    fig = make_subplots(
        1,
        len(panels),
        shared_yaxes=True,
        horizontal_spacing=0.035,
        figure=style,
        subplot_titles=[criterion_style(panel.criterion).label for panel in panels],
    )
    worst = max(float(np.max(layer.ranks)) for panel in panels for layer in panel.layers)
    for column, panel in enumerate(panels, start=1):
        for trace in _panel(panel, worst, first=column == 1):
            fig.add_trace(trace, row=1, col=column)
    return _axes(fig, panels, worst)


def _panel(panel: RankPanel, worst: float, first: bool) -> list[go.Bar | go.Scatter]:
    five = np.array(
        [np.quantile(np.asarray(layer.ranks, np.float64), [0, 0.25, 0.5, 0.75, 1]) for layer in panel.layers]
    )
    color, x = criterion_style(panel.criterion).color, np.arange(len(panel.layers), dtype=np.float32)
    hover = [_hover(layer, row) for layer, row in zip(panel.layers, five, strict=True)]
    return [
        _whiskers(x, five),
        *_boxes(panel, x, five, color),
        _medians(x, five, hover, first),
        *_pooled(panel, x, worst, first),
    ]


def _whiskers(x: np.ndarray, five: np.ndarray) -> go.Scatter:
    """Minimum to first quartile, and third quartile to maximum."""
    gap = np.full(len(x), np.nan)
    y = np.column_stack([five[:, 0], five[:, 1], gap, five[:, 3], five[:, 4], gap])
    line = go.scatter.Line(color=NEUTRAL, width=1.25)
    x = np.repeat(x, 6)
    return go.Scatter(x=f32(x), y=f32(y.ravel()), mode="lines", line=line, hoverinfo="skip", showlegend=False)


def _boxes(panel: RankPanel, x: np.ndarray, five: np.ndarray, color: str) -> list[go.Bar]:
    hatch = ["/" if layer.pooled else "" for layer in panel.layers]
    marker = {
        "color": translucent(color, 0.55),
        "line": {"color": color, "width": 1.25},
        "pattern": {"shape": hatch, "size": 5, "solidity": 0.35, "fgcolor": color, "fillmode": "overlay"},
    }
    return [
        go.Bar(
            x=x,
            y=f32(five[:, 3] - five[:, 1]),
            base=f32(five[:, 1]),
            width=0.58,
            marker=marker,
            name=panel.criterion,
            hoverinfo="skip",
            showlegend=False,
        )
    ]


def _medians(x: np.ndarray, five: np.ndarray, hover: list[str], first: bool) -> go.Scatter:
    return go.Scatter(
        x=x,
        y=f32(five[:, 2]),
        mode="lines+markers",
        name="median",
        showlegend=first,
        legendgroup="median",
        line={"color": NEUTRAL, "width": 1, "dash": "dot"},
        marker={
            "symbol": "diamond",
            "size": 9 if len(x) < 30 else 5,
            "color": WHITE,
            "line": {"color": LIGHT.ink, "width": 1.5},
        },
        customdata=hover,
        hovertemplate="%{customdata}<extra></extra>",
    )


def _pooled(panel: RankPanel, x: np.ndarray, worst: float, first: bool) -> list[go.Scatter]:
    places = x[[layer.pooled for layer in panel.layers]]
    if not len(places):
        return []
    marker = {"symbol": "triangle-down", "size": 9, "color": ORANGE, "line": {"color": NEUTRAL, "width": 0.5}}
    return [
        go.Scatter(
            x=places,
            y=f32(np.full(len(places), worst * 1.045)),
            mode="markers",
            marker=marker,
            name="max-pooling follows",
            legendgroup="pooled",
            showlegend=first,
            hoverinfo="skip",
        )
    ]


def _axes(fig: go.Figure, panels: Sequence[RankPanel], worst: float) -> go.Figure:
    for column, panel in enumerate(panels, start=1):
        count, every = len(panel.layers), -(-len(panel.layers) // _MOST_NAMED)
        fig.update_xaxes(
            tickvals=list(range(0, count, every)),
            ticktext=[plotly(layer.name) for layer in panel.layers[::every]],
            tickangle=None if count <= _UPRIGHT else -90,
            autotickangles=[0, -90],
            range=[-0.6, count - 0.4],
            showgrid=False,
            row=1,
            col=column,
        )
    fig.update_xaxes(automargin=True, showline=False)
    fig.update_yaxes(range=[worst * 1.09, -worst * 0.03], gridcolor=GRID, zeroline=False, automargin=True)
    fig.update_yaxes(title={"text": "global rank, 1 = most important"}, row=1, col=1)
    fig.update_annotations(yshift=2, font={"size": 14, "weight": 600})
    fig.update_layout(margin={"t": 30, "b": 36}, legend={"yref": "container", "y": 0, "yanchor": "bottom"})
    return fig


def _hover(layer: LayerRanks, five: np.ndarray) -> str:
    pooled = "<br>max-pooling follows" if layer.pooled else ""
    return (
        f"<b>{plotly(layer.name)}</b> · {len(layer.ranks)} units<br>median rank {five[2]:g}<br>"
        f"quartiles {five[1]:g} to {five[3]:g}<br>best {five[0]:g}, worst {five[4]:g}{pooled}"
    )


def _alt(panels: Sequence[RankPanel]) -> str:
    return "Global rank by layer, rank 1 is most important. " + " ".join(_panel_alt(panel) for panel in panels)


def _panel_alt(panel: RankPanel) -> str:
    medians = [float(np.median(layer.ranks)) for layer in panel.layers] or [0.0]
    best, worst = int(np.argmin(medians)), int(np.argmax(medians))
    names = [layer.name for layer in panel.layers] or [""]
    return (
        f"{criterion_style(panel.criterion).label}: the best median rank is {medians[best]:g} in {names[best]}, "
        f"the worst {medians[worst]:g} in {names[worst]}."
    )
