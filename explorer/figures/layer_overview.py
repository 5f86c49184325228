"""The network at a glance: how wide each layer is, and where the operations and the parameters are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer.core.errors import BadInput
from explorer.core.palette import BLUE, NEUTRAL, ORANGE, SKY, translucent
from explorer.core.text import plotly
from explorer.figures.style import GRID, SEQUENTIAL, blank_figure, f32


@dataclass(frozen=True)
class LayerCost:
    """One layer as it is now.

    channels: feature maps left; total: feature maps as loaded. flops: of one image, 1 multiply-add = 2 FLOPs.
    parameters: weights and biases. detail: one line such as "3x3 convolution, 28x28 output".
    """

    name: str
    channels: int
    total: int
    flops: float
    parameters: int
    detail: str = ""


def layer_overview(layers: Sequence[LayerCost], *, height: int = 420) -> go.Figure:
    """Above, a column a layer, as tall as its channels, in the colour of its share of FLOPs; below, both costs."""
    if not layers:
        raise BadInput("The overview needs at least one layer, and none was given.")
    fig = make_subplots(
        2,
        1,
        shared_xaxes=True,
        vertical_spacing=0.1,
        row_heights=[0.64, 0.36],
        figure=blank_figure(_alt(layers), height=height),
    )
    x = np.arange(len(layers), dtype=np.float32)
    flops, parameters = _shares([layer.flops for layer in layers]), _shares([layer.parameters for layer in layers])
    hover = [_hover(*row) for row in zip(layers, flops, parameters, strict=True)]
    for trace in _silhouette(layers, x, flops, hover):
        fig.add_trace(trace, row=1, col=1)
    for label, share, color, hatch in (
        ("share of FLOPs", flops, ORANGE, ""),
        ("share of parameters", parameters, SKY, "/"),
    ):
        fig.add_trace(_cost_bars(x, share, label, color, hatch, hover), row=2, col=1)
    return _axes(fig, layers)


def _shares(values: Sequence[float]) -> np.ndarray:
    array = np.asarray(values, np.float64)
    return array / max(float(array.sum()), 1e-12)


def _silhouette(layers: Sequence[LayerCost], x: np.ndarray, flops: np.ndarray, hover: list[str]) -> list[go.Bar]:
    """Columns centred on one axis: the outline of the network as loaded, and the part that is left."""
    total, left = (np.array([getattr(layer, name) for layer in layers]) for name in ("total", "channels"))
    numbers = [f"{a}" if a == b else f"{a}/{b}" for a, b in zip(left, total, strict=True)]
    bar = {
        "title": {"text": "share of FLOPs"},
        "tickformat": ".0%",
        "thickness": 10,
        "len": 0.66,
        "y": 1,
        "yanchor": "top",
        "outlinewidth": 0,
    }
    outline = go.Bar(
        x=x,
        y=f32(total),
        base=f32(-total / 2),
        width=0.74,
        hoverinfo="skip",
        showlegend=False,
        text=numbers if len(layers) <= 30 else None,
        textposition="outside",
        cliponaxis=False,
        marker={"color": translucent(NEUTRAL, 0.14), "line": {"color": NEUTRAL, "width": 1}},
    )
    filled = go.Bar(
        x=x,
        y=f32(left),
        base=f32(-left / 2),
        width=0.74,
        showlegend=False,
        customdata=hover,
        hovertemplate="%{customdata}<extra></extra>",
        marker={
            "color": f32(flops),
            "colorscale": SEQUENTIAL,
            "cmin": 0,
            "cmax": float(flops.max()),
            "colorbar": bar,
            "line": {"color": NEUTRAL, "width": 1},
        },
    )
    return [outline, filled]


def _cost_bars(x: np.ndarray, share: np.ndarray, label: str, color: str, hatch: str, hover: list[str]) -> go.Bar:
    pattern = {"shape": hatch, "size": 5, "solidity": 0.25, "fillmode": "overlay", "fgcolor": BLUE}
    return go.Bar(
        x=x,
        y=f32(share),
        name=label,
        width=0.37,
        offset=0.0 if hatch else -0.37,
        customdata=hover,
        hovertemplate="%{customdata}<extra></extra>",
        marker={"color": color, "line": {"width": 0}, "pattern": pattern},
    )


def _axes(fig: go.Figure, layers: Sequence[LayerCost]) -> go.Figure:
    half = max(layer.total for layer in layers) / 2
    fig.update_xaxes(
        tickvals=list(range(len(layers))),
        ticktext=[plotly(layer.name) for layer in layers],
        showgrid=False,
        range=[-0.6, len(layers) - 0.4],
        automargin=True,
        showline=False,
        tickangle=0 if len(layers) <= 14 else -90,
    )
    fig.update_yaxes(gridcolor=GRID, zeroline=False, automargin=True)
    fig.update_yaxes(
        range=[-half * 1.08, half * 1.22],
        showticklabels=False,
        showgrid=False,
        row=1,
        col=1,
        title={"text": "channels"},
    )
    fig.update_yaxes(tickformat=".0%", rangemode="tozero", nticks=4, row=2, col=1, title={"text": "share"})
    return fig.update_layout(barmode="overlay", legend={"y": 0.345, "yanchor": "bottom"}, margin={"t": 12})


def _hover(layer: LayerCost, flops: float, parameters: float) -> str:
    detail = f"<br>{layer.detail}" if layer.detail else ""
    return (
        f"<b>{plotly(layer.name)}</b>{detail}<br>{layer.channels} of {layer.total} feature maps<br>"
        f"{layer.flops / 1e6:,.2f} MFLOPs, {flops:.1%}<br>{layer.parameters:,} parameters, {parameters:.1%}"
    )


def _alt(layers: Sequence[LayerCost]) -> str:
    channels, total = sum(layer.channels for layer in layers), sum(layer.total for layer in layers)
    costly = max(layers, key=lambda layer: layer.flops, default=None)
    share = costly.flops / max(sum(layer.flops for layer in layers), 1e-12) if costly else 0
    return (
        f"Network of {len(layers)} layers with {channels} of {total} feature maps; "
        f"{costly.name if costly else 'none'} costs most, {share:.0%} of the FLOPs."
    )
