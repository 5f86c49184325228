"""Where one unit stands by every criterion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explorer.core.errors import BadInput
from explorer.core.palette import NEUTRAL
from explorer.figures.style import blank_figure, criterion_style, f32


@dataclass(frozen=True)
class CriterionPlace:
    """A unit's place by one criterion: 0 = the first of all to go, 1 = the last."""

    criterion: str
    share: float  # among all units left
    layer_share: float  # among those of its layer
    text: str  # for the hover text


def rank_strip(places: Sequence[CriterionPlace], *, height: int | None = None) -> go.Figure:
    """A row a criterion, the first on top: its mark among all units, and an open circle within the layer."""
    if not places:
        raise BadInput("A rank strip needs at least one criterion, and none was given.")
    styles = [criterion_style(place.criterion) for place in places]
    rows = np.arange(len(places))
    fig = blank_figure(_alt(places), height=height or 84 + 22 * len(places))
    fig.add_trace(_spans(places, rows))
    texts = [f"<b>{style.label}</b><br>{place.text}" for style, place in zip(styles, places, strict=True)]
    layer = {"symbol": "circle-open", "size": 9, "color": NEUTRAL, "line": {"width": 1.5}}
    everywhere = {"symbol": [s.symbol for s in styles], "size": 10, "color": [s.color for s in styles]}
    fig.add_trace(_marks("within its layer", [p.layer_share for p in places], rows, layer, texts))
    fig.add_trace(_marks("among all units", [p.share for p in places], rows, everywhere, texts))
    fig.update_xaxes(range=[-3, 103], ticksuffix=" %", title={"text": "of the units left go before it"})
    return fig.update_yaxes(
        tickvals=rows.tolist(), ticktext=[s.label for s in styles], range=[len(places) - 0.5, -0.5], showgrid=False
    )


def _marks(
    title: str, shares: Sequence[float], rows: np.ndarray, marker: dict[str, object], texts: Sequence[str]
) -> go.Scatter:
    return go.Scatter(
        x=f32(100 * np.asarray(shares)),
        y=f32(rows),
        mode="markers",
        name=title,
        marker=marker,
        text=list(texts),
        hovertemplate="%{text}<extra></extra>",
    )


def _spans(places: Sequence[CriterionPlace], rows: np.ndarray) -> go.Scatter:
    """From one mark of a row to the other."""
    x = [[100 * place.share, 100 * place.layer_share, np.nan] for place in places]
    return go.Scatter(
        x=f32(np.ravel(x)),
        y=f32(np.repeat(rows, 3)),
        mode="lines",
        line={"color": NEUTRAL, "width": 1},
        hoverinfo="skip",
        showlegend=False,
    )


def _alt(places: Sequence[CriterionPlace]) -> str:
    listed = ", ".join(f"{criterion_style(place.criterion).label} {place.share:.0%}" for place in places)
    return f"Share of the units left that go before this one, by criterion: {listed}."
