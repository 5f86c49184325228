"""Histogram of saliency with a threshold that is dragged, clicked or moved by keyboard."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import streamlit as st

from explorer.figures.binning import scale_for
from explorer.pruning.threshold_curve import Curve, ThresholdPoint
from explorer.ui.components.component import component

_component = component(__file__)


@dataclass(frozen=True)
class Follower:
    """A picture of distributions on the page, in which the handle's line is drawn through some of the rows."""

    picture: str  # key of its chart
    rows: tuple[int, ...]  # that the line decides about: 0 is the top one
    of: int  # rows in all
    low: float  # the least value that its axis shows
    log: bool  # whether that is logarithmic


@dataclass(frozen=True, eq=False)
class Shown:
    """What the histogram shows."""

    values: np.ndarray  # (units,) saliencies
    value: float  # the threshold
    value_unit: str = ""  # of both
    follower: Follower | None = None


def threshold_histogram(
    shown: Shown, *, key: str, on_move: Callable[[float], None] | None = None, curve: Curve | None = None
) -> float:
    """The threshold after the person's last move, or the one shown when they have not moved it in this run.

    Units strictly below the threshold are those that go. The page owns the value: it stores what comes back, or takes
    it in `on_move`, which is called before the script runs again and so may set the state of other widgets.

    Saliencies are read as float32, and moved thresholds are float32 numbers too, so that
    `values.astype(np.float32) < threshold` is exactly what the component counts. Arrow keys take one unit more or less,
    Page keys a twentieth of them, Home none, End all but the largest. Above the histogram, accuracy and loss against
    the threshold are drawn as far as the curve has come. A follower has the threshold's line drawn in it at every move.
    """
    moved = _component(
        key=key,
        data=threshold_data(shown, curve),
        on_moved_change=lambda: _tell(key, on_move),
    ).moved
    return float(shown.value if moved is None else moved)


def _tell(key: str, on_move: Callable[[float], None] | None) -> None:
    moved = getattr(st.session_state.get(key), "moved", None)
    if on_move is not None and moved is not None:
        on_move(float(moved))


def threshold_data(shown: Shown, curve: Curve | None = None) -> dict[str, object]:
    """The data that the browser draws: ascending float32 values as base64, bins, ticks, zeros apart, the curve."""
    ascending = np.sort(np.asarray(shown.values, "<f4").ravel())
    scale = scale_for(ascending, bins=72)
    return {
        "values": base64.b64encode(ascending.tobytes()).decode("ascii"),
        "edges": scale.edges.tolist(),
        "counts": scale.count(ascending).tolist(),
        "zeros": scale.zeros(ascending),
        "log": scale.log,
        "ticks": scale.ticks(),
        "value": float(np.float32(shown.value)),
        "label": "Threshold",
        "unit": "feature maps",
        "value_unit": shown.value_unit,
        "curve": {"predicted": _points(curve.predicted), "measured": _points(curve.measured)} if curve else None,
        "follower": asdict(shown.follower) if shown.follower else None,
    }


def _points(points: Sequence[ThresholdPoint]) -> list[list[float]]:
    """[threshold, accuracy, loss] of each."""
    return [[point.threshold, point.accuracy, point.loss] for point in points]
