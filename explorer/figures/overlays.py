"""Images, and where in them a unit answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.colors import hex_to_rgb

from explorer.core.errors import BadInput
from explorer.core.palette import SKY, YELLOW
from explorer.core.text import plotly
from explorer.figures.style import abridged, blank_figure, f32
from explorer.figures.thumbnail import png

SLOTS = 8  # images in a row, so that fewer do not become larger
SIDE = 144  # least pixels of a picture's longer side
_DIMMED = 0.5  # the image's light under its overlay
_HEAD = 40  # pixels above the pictures
_WRITTEN = 18  # characters of a class
_GAP = 0.06  # between pictures, in widths of one


def overlay(image: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """uint8 (H, W, 3): an image (H, W, 1 or 3) in dim grey, under yellow where levels (H, W) are > 0, sky blue < 0.

    Levels of 1 and -1 hide the image.
    """
    grey = np.asarray(image, np.float64).mean(2, keepdims=True).repeat(3, axis=2) * _DIMMED
    ink = np.where(levels[..., None] > 0, hex_to_rgb(YELLOW), hex_to_rgb(SKY))
    share = np.abs(levels).clip(0, 1)[..., None]
    return np.asarray((1 - share) * grey + share * ink).round().astype(np.uint8)


def overlays(
    images: np.ndarray,
    maps: np.ndarray,
    classes: Sequence[str],
    values: Sequence[float],
    hover: Sequence[str],
    *,
    height: int | None = None,
) -> go.Figure:
    """The images in a row, strongest first, and under each the same with the unit's map over it.

    images: uint8 (N, H, W, 1 or 3); maps: (N, H, W) activations, drawn on one scale, whose end is the largest |value|.
    classes, values: what is written above each; hover: a text for each.
    """
    sizes = [len(each) for each in (images, maps, classes, values, hover)]
    if len(set(sizes)) > 1 or not sizes[0]:
        raise BadInput(f"Images, maps, classes, values and texts must be as many, not {', '.join(map(str, sizes))}.")
    count, high, wide, _ = images.shape
    top = float(np.abs(maps).max())
    levels = maps / (top or 1.0)
    step = high / wide + _GAP
    fig = blank_figure(_alt(classes, top), height=height or _HEAD + round(2 * step * SIDE), showlegend=False)
    for i in range(count):
        plain = np.broadcast_to(images[i], (high, wide, 3)).astype(np.uint8)
        for row, picture in enumerate((plain, overlay(images[i], levels[i]))):
            fig.add_layout_image(_tile(picture, i, -row * step))
        title = f"{plotly(abridged(classes[i], _WRITTEN))}<br>{values[i]:.3g}"
        fig.add_annotation(x=i + (1 - _GAP) / 2, y=0, text=title, showarrow=False, yanchor="bottom")
    fig.add_trace(_hover(count, step, high / wide, hover))
    fig.update_xaxes(visible=False, range=[0, max(SLOTS, count)], fixedrange=True)
    fig.update_yaxes(
        visible=False,
        range=[-2 * step, 0],
        scaleanchor="x",
        scaleratio=1 - _GAP,
        fixedrange=True,
        constrain="domain",
        constraintoward="top",
    )
    return fig.update_layout(margin={"l": 0, "r": 0, "t": _HEAD, "b": 0})


def _tile(picture: np.ndarray, place: int, y: float) -> dict[str, object]:
    high, wide, _ = picture.shape
    by = max(1, -(-SIDE // max(high, wide)))
    return {
        "source": png(picture, wide * by, high * by),
        "xref": "x",
        "yref": "y",
        "x": place,
        "y": y,
        "sizex": 1 - _GAP,
        "sizey": high / wide,
        "sizing": "stretch",
        "layer": "below",
    }


def _hover(count: int, step: float, tall: float, texts: Sequence[str]) -> go.Scatter:
    """Unseen points in the middle of the pictures, that hold their texts."""
    x = np.tile(np.arange(count) + (1 - _GAP) / 2, 2)
    y = np.repeat([-tall / 2, -step - tall / 2], count)
    return go.Scatter(
        x=f32(x),
        y=f32(y),
        mode="markers",
        marker={"size": 60, "opacity": 0},
        text=[*texts, *texts],
        hovertemplate="%{text}<extra></extra>",
    )


def _alt(classes: Sequence[str], top: float) -> str:
    return f"{len(classes)} images and the unit's activation over each, largest value {top:.3g}: {', '.join(classes)}."
