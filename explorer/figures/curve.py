"""The cost of pruning: accuracy or loss against the share of the network that is left."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.core.errors import BadInput
from explorer.core.palette import NEUTRAL, translucent
from explorer.figures.series import FADED, SCRATCH, Series, dots, key
from explorer.figures.style import accuracy_range, blank_figure, criterion_style, f32

QUANTITIES = {"accuracy": ("accuracy", ".1%"), "loss": ("loss (nats)", ".3f")}
_NARROWEST = 0.05  # of an axis of shares: one point alone would be stretched over nothing
_FEW = 4  # series up to which the legend lies above the plot
AGAINST = {
    "units": "units left",
    "parameters": "parameters left",
    "flops": "FLOPs left",
    "latency": "measured latency, share of the original's",
}


def curve(
    series: Sequence[Series],
    *,
    quantity: str = "accuracy",
    against: str = "units",
    original: float | None = None,
    current: tuple[float, float] | None = None,
    height: int = 400,
) -> go.Figure:
    """Lines from the original network at the left (100 %) to what is left of it at the right.

    quantity: "accuracy" or "loss"; against: one of AGAINST. original: the original's y, drawn as a reference line.
    current: (x, y) of the present state, drawn as a ring.
    """
    if quantity not in QUANTITIES or against not in AGAINST:
        raise BadInput(
            f"A curve shows one of {', '.join(QUANTITIES)} against one of {', '.join(AGAINST)}, "
            f"not {quantity} against {against}."
        )
    fig = blank_figure(_alt(series, quantity, against, current), height=height)
    if original is not None:
        _reference(fig, original, f"original {format(original, QUANTITIES[quantity][1])}")
    said_once = len({one.when for one in series}) == 1
    for one in series:
        line = _line(one, quantity, against, one.name if said_once else one.title)
        if not said_once and one.when == "before fine-tuning":
            line.line.width = 1
        fig.add_traces([*_band(one), line, *dots(one)])
    fig.add_traces(key(series))
    if current is not None:
        fig.add_trace(_ring(*current))
    if len(series) > _FEW:
        fig.update_layout(legend={"orientation": "v", "x": 1.02, "y": 1, "yanchor": "top"})
    return _axes(fig, series, quantity, against, f", {series[0].when}" if said_once and series[0].when else "")


def _reference(fig: go.Figure, y: float, text: str) -> None:
    line = {"color": NEUTRAL, "width": 1, "dash": "longdash"}
    fig.add_hline(y=y, line=line)
    fig.add_annotation(text=text, x=1, xref="paper", y=y, xanchor="right", yanchor="bottom", showarrow=False)


def _line(one: Series, quantity: str, against: str, name: str) -> go.Scatter:
    ylabel, number = QUANTITIES[quantity]
    return go.Scatter(
        x=f32(one.x),
        y=f32(one.y),
        mode="markers" if one.criterion == SCRATCH else "lines+markers",
        name=name,
        opacity=FADED if one.faded else 1,
        showlegend=not one.faded,
        line=one.line,
        marker=one.marker,
        **one.hover(f"{AGAINST[against]} %{{x:.1%}}<br>{ylabel} %{{y:{number}}}", number),
    )


def _band(one: Series) -> list[go.Scatter]:
    if one.low is None or one.high is None:
        return []
    x = np.concatenate([one.x, np.asarray(one.x)[::-1]])
    y = np.concatenate([one.low, np.asarray(one.high)[::-1]])
    return [
        go.Scatter(
            x=f32(x),
            y=f32(y),
            fill="toself",
            mode="none",
            name="",
            hoverinfo="skip",
            showlegend=False,
            fillcolor=translucent(criterion_style(one.criterion).color, 0.16),
        )
    ]


def _ring(x: float, y: float) -> go.Scatter:
    return go.Scatter(
        x=f32([x]),
        y=f32([y]),
        mode="markers",
        name="now",
        hoverinfo="skip",
        marker={"symbol": "circle-open", "size": 17, "color": NEUTRAL, "line": {"width": 2.5}},
    )


def _axes(fig: go.Figure, series: Sequence[Series], quantity: str, against: str, when: str) -> go.Figure:
    least = min((float(np.min(one.x)) for one in series if len(one.x)), default=0.0)
    least = min(least, 1 - _NARROWEST)
    most = max((float(np.max(one.x)) for one in series if len(one.x)), default=1.0)  # latency can rise
    margin = 0.03 * (1 - least) + 0.002
    ends = [max(1.0, most) + margin, max(0.0, least) - margin]
    fig.update_xaxes(title={"text": AGAINST[against]}, tickformat=".1~%", range=ends)
    fig.update_yaxes(title={"text": QUANTITIES[quantity][0] + when})
    if quantity == "accuracy":
        fig.update_yaxes(tickformat=".0%", range=accuracy_range([float(y) for one in series for y in one.y]))
    else:
        fig.update_yaxes(rangemode="tozero")
    return fig


def _alt(series: Sequence[Series], quantity: str, against: str, current: tuple[float, float] | None) -> str:
    number = QUANTITIES[quantity][1]
    ends = [
        f"{one.title}: {format(float(one.y[0]), number)} with {one.x[0]:.0%} left, "
        f"{format(float(one.y[-1]), number)} with {one.x[-1]:.0%}"
        for one in series
        if len(one.x)
    ]
    now = "" if current is None else f" Now {format(current[1], number)} with {current[0]:.0%} left."
    return f"{quantity.capitalize()} against {AGAINST[against]}. " + "; ".join(ends) + "." * bool(ends) + now
