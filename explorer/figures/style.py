"""One look for every figure: colours that read on white and on near-black, and a description of each picture.

Text carries no colour of its own, so that the page's theme may set it.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from explorer.core.palette import BLUE, CATEGORIES, CLEAR, GREEN, NEUTRAL, PURPLE, VERMILION, translucent

GRID = translucent(NEUTRAL, 0.2)

# Cividis without its ends: the darkest vanishes on near-black, the lightest on white.
SEQUENTIAL = tuple((i / 8, sample_colorscale("Cividis", 0.18 + 0.77 * i / 8)[0]) for i in range(9))

# Correlations and errors: wrong side vermilion, right side blue, evenly stronger from zero on. The strongest still let
# the ground through, so that the page's ink reads on all of them in either theme.
STRONGEST = 0.6
DIVERGING = [
    (0.0, translucent(VERMILION, STRONGEST)),
    (0.5, translucent(VERMILION, 0.04)),
    (0.5, translucent(BLUE, 0.04)),
    (1.0, translucent(BLUE, STRONGEST)),
]


@dataclass(frozen=True)
class Style:
    """How one criterion looks in every figure; the dash and the symbol tell it apart without colour."""

    color: str
    dash: str
    symbol: str
    label: str


CRITERION_STYLES = {
    "oracle": Style(BLUE, "solid", "circle", "oracle"),
    "joint": Style(BLUE, "dash", "star", "joint linearised"),
    "linear_oracle": Style(BLUE, "dot", "cross", "linearised oracle"),
    "taylor2": Style(BLUE, "dashdot", "hexagram", "Taylor-2"),
    "taylor": Style(VERMILION, "solid", "square", "Taylor"),
    "taylor_mean": Style(VERMILION, "dash", "triangle-up", "Taylor, abs after the mean"),
    "taylor_element": Style(VERMILION, "dot", "triangle-down", "Taylor, abs per element"),
    "taylor_activation": Style(VERMILION, "longdash", "star-square", "Taylor + activation mean"),
    "weight_taylor": Style(VERMILION, "dashdot", "diamond-tall", "weight-Taylor"),
    "obd": Style(GREEN, "solid", "diamond", "OBD"),
    "mutual_information": Style(GREEN, "dash", "hexagon", "mutual information"),
    "weight": Style(GREEN, "dot", "pentagon", "weight"),
    "l1": Style(GREEN, "dashdot", "octagon", "L1 norm"),
    "fpgm": Style(GREEN, "longdashdot", "star-diamond", "geometric median"),
    "bn_scale": Style(BLUE, "longdash", "hexagon2", "batch-norm scale"),
    "activation_mean": Style(PURPLE, "solid", "triangle-left", "activation mean"),
    "activation_std": Style(PURPLE, "dash", "triangle-right", "activation std"),
    "apoz": Style(PURPLE, "dot", "diamond-wide", "APoZ"),
    "hrank": Style(PURPLE, "dashdot", "star-triangle-down", "HRank"),
    "random": Style(NEUTRAL, "dot", "x", "random"),
}
_FALLBACK_DASHES = ("dashdot", "longdash", "longdashdot")
_FALLBACK_SYMBOLS = ("cross", "triangle-sw", "triangle-ne", "star-triangle-up", "hexagram")


def criterion_style(name: str) -> Style:
    """The style of a criterion: from the table, or for an unknown name always the same one, derived from the name."""
    if name in CRITERION_STYLES:
        return CRITERION_STYLES[name]
    code = zlib.crc32(name.encode())
    color = (BLUE, GREEN, VERMILION, PURPLE)[code % 4]
    dash, symbol = _FALLBACK_DASHES[code // 4 % 3], _FALLBACK_SYMBOLS[code // 12 % 5]
    return Style(color, dash, symbol, name.rpartition(":")[2].replace("_", " "))  # of package.module:function the last


def f32(values: object) -> np.ndarray:
    """Plot data as float32: half the bytes to the browser."""
    return np.asarray(values, np.float32)


def accuracy_range(accuracies: Sequence[float]) -> list[float]:
    """The ends of an axis with all of these, NaN left out: its upper half or the whole.

    No more is zoomed in, so that one image never looks like an event, and the axis stays while a curve grows.
    """
    low = 0.0 if min((each for each in accuracies if each == each), default=0.0) < 0.5 else 0.5
    return [low - 0.03 * (1 - low), 1 + 0.03 * (1 - low)]


def abridged(name: str, most: int) -> str:
    """A name in at most so many characters, without its middle where it is longer."""
    tail = (most - 1) // 2
    return name if len(name) <= most else f"{name[: most - 1 - tail]}…{name[-tail:]}"


def sequential(shares: Sequence[float]) -> list[str]:
    """One colour a value of the sequential scale, whose ends are 0 and the largest value."""
    top = max(max(shares, default=0.0), 1e-12)
    return [sample_colorscale([list(stop) for stop in SEQUENTIAL], max(0.0, share) / top)[0] for share in shares]


def blank_figure(alt: str, *, height: int, **layout: object) -> go.Figure:
    """A figure with the common look and the sentence that describes it; height in pixels."""
    fig = go.Figure(layout={"template": go.layout.Template(layout={"colorway": CATEGORIES})})
    fig.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 28, "b": 8},
        paper_bgcolor=CLEAR,
        plot_bgcolor=CLEAR,
        hoverlabel={"align": "left"},
        legend={"orientation": "h", "x": 0, "y": 1, "xanchor": "left", "yanchor": "bottom", "title": {"text": ""}},
        meta={"alt": alt},
        **layout,
    )
    fig.update_xaxes(gridcolor=GRID, zeroline=False, automargin=True, showline=False, ticks="")
    fig.update_yaxes(gridcolor=GRID, zeroline=False, automargin=True, showline=False, ticks="")
    return fig


def alt_text(fig: go.Figure) -> str:
    """The sentence that says what the figure shows, for `st.plotly_chart(alt=...)` and screen readers."""
    return str(fig.layout.meta["alt"])
