"""The race: every selector's band over its seeds, before and after fine-tuning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import plotly.graph_objects as go

from explorer.figures.curve import curve
from explorer.figures.series import Series, of_seeds


class DrawnBand(Protocol):
    """One selector over its seeds, step by step: arrays of (steps,); `explorer.pruning.race_bands` says more."""

    @property
    def selector(self) -> str:
        """Its name in the table of styles."""

    @property
    def fine_tuned(self) -> bool:
        """Measured after each step's fine-tuning, or before it."""

    @property
    def x(self) -> np.ndarray:
        """Share left, 1 = the original."""

    @property
    def y(self) -> np.ndarray:
        """Median accuracy as a share of 1, or loss in nats."""

    @property
    def low(self) -> np.ndarray:
        """The least of the seeds."""

    @property
    def high(self) -> np.ndarray:
        """The largest."""

    @property
    def seeds(self) -> np.ndarray:
        """How many."""


def race_curve(bands: Sequence[DrawnBand], quantity: str, against: str) -> go.Figure:
    """A line through each band's medians, and the band from the least to the largest where there are several seeds.

    Filled marks: after each step's fine-tuning; open marks: before it. The first point is the original.
    """
    series = [_series(band) for band in bands if not np.isnan(band.x).any()]
    original = float(series[0].y[0]) if series else None
    return curve(series, quantity=quantity, against=against, original=original)


def _series(band: DrawnBand) -> Series:
    several = bool((band.seeds > 1).any())
    one = Series(band.selector, band.x, band.y, band.fine_tuned)
    return replace(one, low=band.low, high=band.high, spread=of_seeds(band.seeds)) if several else one
