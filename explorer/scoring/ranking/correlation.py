"""Correlation: how well a criterion's ranking agrees with the oracle's.

Functions of rows take many rankings at once, (rows, units) against (rows, units), for the bootstrap's sake.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.networks.units import Units
from explorer.scoring.ranking.order import TOP, overlap_rows
from explorer.scoring.ranking.places import average_places
from explorer.scoring.ranking.scaling import SCALINGS, check_scaling

Coefficient = Callable[[np.ndarray, np.ndarray], np.ndarray]


def spearman_rows(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Spearman's rank correlation, eq. 10: Pearson's of the ranks, ties with their average; (rows, n) -> (rows,).

    -1 to 1; nan where either side is constant.
    """
    x, y = (average_places(side) - (side.shape[1] + 1) / 2 for side in (a, b))
    return _ratio((x * y).sum(1), (x**2).sum(1), (y**2).sum(1))


def kendall_rows(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Kendall's tau-b; (rows, n) -> (rows,).

        tau = (concordant - discordant pairs) / sqrt(pairs not tied in a * pairs not tied in b)

    -1 to 1; nan where either side is constant. Kendall 1945, Biometrika 33.
    """
    n = a.shape[1]
    (x, in_x), (y, in_y) = _places(a), _places(b)
    both = x * np.int64(n) + y
    _, in_both = _places(both)
    discordant = _inversions(np.take_along_axis(y, np.argsort(both, axis=1), axis=1))
    pairs = n * (n - 1) / 2
    return _ratio(pairs - in_x - in_y + in_both - 2 * discordant, pairs - in_x, pairs - in_y)


def _places(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(rows, n) -> how many values are smaller than each, (rows, n) int, and the number of tied pairs, (rows,)."""
    order = np.argsort(values, axis=1)
    rising = np.take_along_axis(values, order, axis=1)
    place = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    tied = np.zeros(values.shape, bool)
    tied[:, 1:] = rising[:, 1:] == rising[:, :-1]
    first = np.maximum.accumulate(np.where(tied, 0, place), axis=1)  # of those that are equal
    places = np.empty_like(first)
    np.put_along_axis(places, order, first, axis=1)
    return places, (place - first).sum(1)


def _inversions(values: np.ndarray) -> np.ndarray:
    """(rows, n) int below n -> (rows,) the number of pairs i < j with values[i] > values[j], counted in a merge sort.

    Where two sorted halves of w merge, the j-th of the right half (from 0) comes to place j + (lefts at most as large).
    """
    rows, n = values.shape
    full = 1 << max(n - 1, 0).bit_length()
    small = np.int16 if n < np.iinfo(np.int16).max else np.int32  # sorts faster
    merged = np.pad(values.astype(small), ((0, 0), (0, full - n)), constant_values=n)
    width, total = 1, np.zeros(rows)
    while width < full:
        halves = merged.reshape(rows, -1, 2 * width)
        order = np.argsort(halves, axis=2, kind="stable")
        places = np.where(order < width, 0, np.arange(2 * width)).sum((1, 2))
        total += halves.shape[1] * (width**2 + width * (width - 1) // 2) - places
        merged = np.take_along_axis(halves, order, axis=2)
        width *= 2
    return total


def _ratio(above: np.ndarray, below: np.ndarray, other: np.ndarray) -> np.ndarray:
    """above / sqrt(below * other), nan where that is not defined."""
    scale = np.sqrt(below) * np.sqrt(other)
    ratio = np.full(len(scale), np.nan)
    np.divide(above, scale, out=ratio, where=scale > 0)
    return ratio


def spearman(a: Tensor, b: Tensor) -> float:
    """`spearman_rows` of two rankings (units,): only the order counts.

    >>> from torch import tensor
    >>> round(spearman(tensor([1.0, 2.0, 3.0]), tensor([0.1, 5.0, 900.0])), 6)
    1.0
    """
    return float(spearman_rows(a[None].numpy(), b[None].numpy())[0])


def kendall(a: Tensor, b: Tensor) -> float:
    """`kendall_rows` of two rankings (units,)."""
    return float(kendall_rows(a[None].numpy(), b[None].numpy())[0])


@dataclass(frozen=True)
class Measure:
    """One figure of how well a criterion agrees with oracle-abs. The oracle itself is never scaled."""

    name: str
    group: str  # "spearman", "kendall" or "overlap"
    column: str  # in a table of its group
    scaling: str = "none"  # of the criterion's saliencies
    each_layer: bool = False  # the mean over layers; those where it is undefined are left out

    def of(self, saliency: Tensor, oracle_abs: Tensor, units: Units) -> np.ndarray:
        """(rows, units) against (rows, units) -> (rows,)."""
        a, b = SCALINGS[self.scaling](saliency, units).numpy(), oracle_abs.numpy()
        coefficient = COEFFICIENTS[self.group]
        if not self.each_layer:
            return coefficient(a, b)
        layers = np.stack([coefficient(a[:, place], b[:, place]) for place in units.slices.values()])
        return torch.from_numpy(layers).nanmean(0).numpy()


COEFFICIENTS: dict[str, Coefficient] = {"spearman": spearman_rows, "kendall": kendall_rows, "overlap": overlap_rows}
GROUPS = {
    "spearman": "Spearman's rank correlation with oracle-abs",
    "kendall": "Kendall's rank correlation (tau-b) with oracle-abs",
    "overlap": f"Of the {TOP:.0%} of the units that oracle-abs would remove first, the share that the criterion would",
}


def measures(scaling: str = "l2") -> tuple[Measure, ...]:
    """Spearman and Kendall per layer, over all units, and over all after scaling; the overlap over all, both ways.

    Raises BadInput for an unknown scaling.
    """
    check_scaling(scaling)
    found = []
    for group, prefix in (("spearman", ""), ("kendall", "kendall_"), ("overlap", "overlap_")):
        if group != "overlap":
            found.append(Measure(f"{prefix}per_layer", group, "per layer", each_layer=True))
        found.append(Measure(f"{prefix}all_layers", group, "all layers"))
        if scaling != "none":
            found.append(Measure(f"{prefix}all_layers_{scaling}", group, f"all layers, {scaling}", scaling))
    return tuple(found)


def correlate(saliency: Tensor, oracle_abs: Tensor, units: Units, scaling: str = "l2") -> dict[str, float]:
    """Every measure of one criterion, by the measure's name: `per_layer`, `all_layers`, `all_layers_l2` are Table 1."""
    return {m.name: float(m.of(saliency[None], oracle_abs[None], units)[0]) for m in measures(scaling)}


def correlation_table(
    saliencies: Mapping[str, Tensor], oracle_abs: Tensor, units: Units, scaling: str = "l2"
) -> dict[str, dict[str, float]]:
    """The paper's Table 1 and more for one network: criterion -> measure -> value."""
    return {name: correlate(s, oracle_abs, units, scaling) for name, s in saliencies.items()}
