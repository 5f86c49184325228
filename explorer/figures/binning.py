"""One scale and one set of bins for saliencies that may span many decades, hold exact zeros, or be signed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.core.errors import BadInput

_DEEPEST = 1e-10  # of the largest value: whatever lies lower is counted in the first bin
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, eq=False)
class Scale:
    """A value axis that holds all of some values.

    edges (bins + 1,) are ascending and in natural units, equally wide on the axis; on a logarithmic scale they are
    positive, and exact zeros have a place of their own at the left.
    """

    edges: np.ndarray
    log: bool

    def place(self, values: np.ndarray) -> np.ndarray:
        """Position on the axis: log10 of the value on a logarithmic scale, else the value; same shape.

        Positive values below the first edge are placed on it.
        """
        values = np.asarray(values, np.float64)
        return np.log10(np.maximum(values, self.edges[0])) if self.log else values

    def count(self, values: np.ndarray) -> np.ndarray:
        """(bins,) int64: the values in each bin; exact zeros of a logarithmic scale are in none."""
        values = np.asarray(values, np.float64)
        values = values[values > 0] if self.log else values
        return np.histogram(np.clip(values, self.edges[0], self.edges[-1]), self.edges)[0]

    def zeros(self, values: np.ndarray) -> int:
        """Exact zeros that have no place on the axis: 0 on a linear scale."""
        return int(np.count_nonzero(np.asarray(values) == 0)) if self.log else 0

    def ticks(self) -> list[tuple[float, str]]:
        """(value in natural units, text): powers of ten on a logarithmic scale, round numbers on a linear one."""
        return _decades(self.edges) if self.log else _round_numbers(float(self.edges[0]), float(self.edges[-1]))


def scale_for(values: np.ndarray, bins: int = 48) -> Scale:
    """The scale that shows all values: logarithmic when none is negative and they span more than two decades."""
    values = np.asarray(values, np.float64).ravel()
    if not values.size or not np.isfinite(values).all():
        raise BadInput(
            f"A distribution needs finite values, and {np.count_nonzero(~np.isfinite(values))} "
            f"of the {values.size} given are not."
        )
    positive = values[values > 0]
    if values.min() >= 0 and positive.size and positive.max() > 100 * positive.min():
        low = max(float(positive.min()), float(positive.max()) * _DEEPEST)
        return Scale(_ends(np.geomspace(low, positive.max(), bins + 1), low, positive.max()), True)
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    high = high if high > low else low + 1.0
    return Scale(_ends(np.linspace(low, high, bins + 1), low, high), False)


def _ends(edges: np.ndarray, low: float, high: float) -> np.ndarray:
    edges[0], edges[-1] = low, high
    return edges


def _decades(edges: np.ndarray) -> list[tuple[float, str]]:
    first, last = int(np.ceil(np.log10(edges[0]))), int(np.floor(np.log10(edges[-1])))
    every = max(1, (last - first) // 7 + 1)
    exponents = range(first, last + 1, every)
    return [(10.0**e, f"10{str(e).translate(_SUPERSCRIPT)}" if abs(e) > 1 else f"{10.0**e:g}") for e in exponents]


def _round_numbers(low: float, high: float) -> list[tuple[float, str]]:
    raw = (high - low) / 5
    power = 10.0 ** np.floor(np.log10(raw))
    step = power * next(m for m in (1, 2, 5, 10) if m * power >= raw * 0.999)
    numbers = np.arange(np.ceil(low / step - 1e-9), np.floor(high / step + 1e-9) + 1) * step + 0.0  # no negative zero
    return [(float(n), f"{float(f'{n:.6g}'):g}") for n in numbers]
