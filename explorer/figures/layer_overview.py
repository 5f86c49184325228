"""The network at a glance: where the operations and the parameters are. How wide its layers are, the strip shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explorer.core.errors import BadInput
from explorer.core.palette import BLUE, ORANGE, SKY
from explorer.core.text import plotly
from explorer.figures.style import blank_figure, f32


@dataclass(frozen=True)
class LayerCost:
    """One layer as loaded.

    channels: that it writes. flops: of one image, 1 multiply-add = 2 FLOPs. parameters: weights and biases. detail: one
    line such as "3x3 convolution, 28x28 output".
    """

    name: str
    channels: int
    flops: float
    parameters: int
    detail: str = ""


def layer_overview(layers: Sequence[LayerCost], *, height: int = 260) -> go.Figure:
    """Two bars a layer: its share of the FLOPs, and of the parameters."""
    if not layers:
        raise BadInput("The overview needs at least one layer, and none was given.")
    fig = blank_figure(_alt(layers), height=height, barmode="overlay")
    x = np.arange(len(layers), dtype=np.float32)
    flops, parameters = _shares([layer.flops for layer in layers]), _shares([layer.parameters for layer in layers])
    hover = [_hover(*row) for row in zip(layers, flops, parameters, strict=True)]
    fig.add_trace(_cost_bars(x, flops, "share of FLOPs", ORANGE, "", hover))
    fig.add_trace(_cost_bars(x, parameters, "share of parameters", SKY, "/", hover))
    fig.update_xaxes(
        tickvals=list(range(len(layers))),
        ticktext=[plotly(layer.name) for layer in layers],
        showgrid=False,
        range=[-0.6, len(layers) - 0.4],
        tickangle=0 if len(layers) <= 14 else -90,
    )
    return fig.update_yaxes(tickformat=".0%", rangemode="tozero", nticks=4, title={"text": "share"})


def _shares(values: Sequence[float]) -> np.ndarray:
    array = np.asarray(values, np.float64)
    return array / max(float(array.sum()), 1e-12)


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


def _hover(layer: LayerCost, flops: float, parameters: float) -> str:
    detail = f"<br>{layer.detail}" if layer.detail else ""
    return (
        f"<b>{plotly(layer.name)}</b>{detail}<br>{layer.channels:,} channels<br>"
        f"{layer.flops / 1e6:,.2f} MFLOPs, {flops:.1%}<br>{layer.parameters:,} parameters, {parameters:.1%}"
    )


def _alt(layers: Sequence[LayerCost]) -> str:
    costly = max(layers, key=lambda layer: layer.flops)
    share = costly.flops / max(sum(layer.flops for layer in layers), 1e-12)
    return (
        f"Costs of {len(layers)} layers with {sum(layer.channels for layer in layers):,} channels; {costly.name} costs "
        f"most, {share:.0%} of the FLOPs."
    )
