"""Measured line: states that were measured on images, as a line of a curve with its band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from explorer.evaluation.metrics import Metrics
from explorer.figures.series import Series


@dataclass(frozen=True)
class Axes:
    """The quantity drawn, and the measure whose share of the root's is the axis."""

    quantity: str
    against: str
    root: Metrics

    def share(self, metrics: Metrics) -> float:
        """Of the measure, what a state has left."""
        return float(getattr(metrics, self.against) / getattr(self.root, self.against))


def measured_line(axes: Axes, criterion: str, points: Sequence[Metrics]) -> Series:
    """One criterion's points, and the 95 % interval of each, where it is known of all."""
    one = Series(
        criterion,
        np.array([axes.share(point) for point in points]),
        np.array([getattr(point, axes.quantity) for point in points]),
    )
    intervals = [found for point in points if (found := point.interval(axes.quantity))]
    if not intervals or len(intervals) < len(points):
        return one
    low, high = np.array(intervals).T
    return replace(one, low=low, high=high, spread=[f"95 % interval of {point.images:,} images" for point in points])
