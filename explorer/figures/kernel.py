"""The weights of one unit in one convolution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer.core.errors import BadInput
from explorer.core.palette import BLUE, NEUTRAL, VERMILION, translucent
from explorer.core.text import plotly
from explorer.figures.style import SEQUENTIAL, blank_figure, f32

SIGNED = [
    (0.0, VERMILION),
    (0.5, translucent(VERMILION, 0.04)),
    (0.5, translucent(BLUE, 0.04)),
    (1.0, BLUE),
]
"""Negative weights vermilion, positive blue, zero clear."""
TILES = 7  # beside each other, so that fewer do not become larger
WRITTEN = 14  # characters over each


def kernel_figure(
    whole: np.ndarray,
    slices: np.ndarray,
    names: Sequence[str],
    shares: Sequence[float],
    *,
    signed: bool,
    height: int = 130,
) -> go.Figure:
    """A kernel as a small image, then its strongest slices, on one scale of their own.

    whole: (h, w) weights where `signed`, else mean |weight| over the input channels; (h, w, 3) weights of the image's
    colours, grey = 0. slices: (n, h, w) weights; names: of the input channel of each; shares: of the sum of |weights|.
    """
    if not len(slices) == len(names) == len(shares):
        raise BadInput(f"Slices, names and shares must be as many, not {len(slices)}, {len(names)} and {len(shares)}.")
    first = "weights" if signed else "mean |w|"
    titles = [f"{plotly(_end(name))}<br>{share:.0%}" for name, share in zip(names, shares, strict=True)]
    fig = make_subplots(
        1,
        TILES,
        horizontal_spacing=0.02,
        figure=blank_figure(_alt(whole, names, signed), height=height),
        subplot_titles=[first, *titles],
    )
    fig.update_annotations(font={"size": 12})
    fig.add_trace(_colours(whole) if whole.ndim == 3 else _plane(whole, signed, first), 1, 1)
    top = float(np.abs(slices).max(initial=0))
    for column, (plane, name) in enumerate(zip(slices, names, strict=True), start=2):
        fig.add_trace(_plane(plane, True, name, top), 1, column)
    high, wide = whole.shape[:2]
    for column in range(1, TILES + 1):
        frame = {"showline": column <= 1 + len(slices), "mirror": True, "linecolor": NEUTRAL, "linewidth": 1}
        common = {**frame, "showgrid": False, "showticklabels": False, "constrain": "domain", "fixedrange": True}
        fig.update_xaxes(**common, range=[-0.5, wide - 0.5], row=1, col=column)
        anchor = fig.get_subplot(1, column).xaxis.plotly_name.replace("axis", "")
        fig.update_yaxes(
            **common, range=[high - 0.5, -0.5], scaleanchor=anchor, constraintoward="top", row=1, col=column
        )
    return fig.update_layout(margin={"l": 2, "r": 2, "t": 40, "b": 4, "pad": 0})


def _end(name: str) -> str:
    """As much of the end of a name as fits over a picture."""
    return name if len(name) <= WRITTEN else f"…{name[1 - WRITTEN :].lstrip('.')}"


def _plane(values: np.ndarray, signed: bool, name: str, top: float | None = None) -> go.Heatmap:
    end = (float(np.abs(values).max()) if top is None else top) or 1.0
    return go.Heatmap(
        z=f32(values),
        zmin=-end if signed else 0,
        zmax=end,
        colorscale=SIGNED if signed else SEQUENTIAL,
        showscale=False,
        hovertemplate=f"<b>{plotly(name)}</b><br>row %{{y}}, column %{{x}}<br>%{{z:.4g}}<extra></extra>",
    )


def _colours(weights: np.ndarray) -> go.Image:
    end = float(np.abs(weights).max()) or 1.0
    return go.Image(
        z=(127.5 * (1 + weights / end)).round().astype(np.uint8),
        customdata=f32(weights),
        hovertemplate="row %{y}, column %{x}<br>red %{customdata[0]:.3g}, green %{customdata[1]:.3g}, "
        "blue %{customdata[2]:.3g}<extra></extra>",
    )


def _alt(whole: np.ndarray, names: Sequence[str], signed: bool) -> str:
    size = f"{whole.shape[0]}×{whole.shape[1]}"
    if signed:
        return f"The kernel's {size} weights, from {whole.min():.3g} to {whole.max():.3g}."
    return (
        f"The kernel's mean |weight| at {size} places, at most {whole.max():.3g}; strongest inputs: {'; '.join(names)}."
    )
