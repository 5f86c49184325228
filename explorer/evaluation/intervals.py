"""Intervals: what the number of images leaves open of an accuracy or a loss."""

from __future__ import annotations

from math import sqrt

Z = 1.959964  # standard errors on either side that hold 95 % of a normal distribution


def wilson(share: float, count: int) -> tuple[float, float]:
    """The 95 % interval of a share that was seen in `count` draws: (low, high), 0 to 1.

        (p + z^2/2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2/n)

    Wilson 1927; unlike p -+ z sqrt(p (1 - p) / n) it stays open at 0 and 1.
    """
    spread = Z * Z / count
    middle = share + spread / 2
    half = Z * sqrt(share * (1 - share) / count + spread / (4 * count))
    return max(0.0, (middle - half) / (1 + spread)), min(1.0, (middle + half) / (1 + spread))


def normal(mean: float, error: float) -> tuple[float, float]:
    """The 95 % interval of a mean of values >= 0 with this standard error: (low, high)."""
    return max(0.0, mean - Z * error), mean + Z * error
