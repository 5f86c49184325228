"""Order: where units stand among all, and which of them two rankings would both remove first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from explorer.networks.units import Units
from explorer.scoring.ranking.places import average_places

TOP = 0.1  # of the units, for the overlap


def ranks(saliency: Tensor) -> Tensor:
    """(units,) -> global rank, 1 = most important; ties share their average rank.

    >>> ranks(torch.tensor([0.1, 0.4, 0.4, 0.9])).tolist()
    [4.0, 2.5, 2.5, 1.0]
    """
    return torch.from_numpy(average_places(-saliency.numpy()))


@dataclass(frozen=True)
class RankStatistics:
    """Global ranks of one layer's units (Fig. 2), 1 = most important."""

    layer: str
    minimum: float
    lower_quartile: float
    median: float
    upper_quartile: float
    maximum: float


def rank_statistics(saliency: Tensor, units: Units) -> tuple[RankStatistics, ...]:
    """Five-number summary of the global ranks of every layer, in network order."""
    shares = torch.tensor([0, 0.25, 0.5, 0.75, 1], dtype=torch.float64)
    by_layer = units.by_layer(ranks(saliency))
    return tuple(RankStatistics(name, *torch.quantile(r, shares).tolist()) for name, r in by_layer.items())


def overlap_rows(a: np.ndarray, b: np.ndarray, share: float = TOP) -> np.ndarray:
    """Of the `share` of the units that ranking a would remove first, the share that b would remove first too.

    a, b: saliencies (rows, units), row against row. Returns (rows,), 0 to 1; by chance, `share`. Ties go in network
    order, as a plan takes them; the number of units is rounded, but at least 1.
    """
    count = max(1, round(share * a.shape[1]))
    return np.asarray((_first(a, count) & _first(b, count)).sum(1) / count)


def _first(saliency: np.ndarray, count: int) -> np.ndarray:
    """(rows, units) bool: the `count` least important units of each row."""
    chosen = np.zeros(saliency.shape, bool)
    np.put_along_axis(chosen, np.argsort(saliency, axis=1, kind="stable")[:, :count], True, axis=1)
    return chosen


def overlap(a: Tensor, b: Tensor, share: float = TOP) -> float:
    """`overlap_rows` of two saliencies (units,).

    >>> overlap(torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.tensor([1.0, 4.0, 3.0, 2.0]), share=0.5)  # 0, 1 and 0, 3
    0.5
    """
    return float(overlap_rows(a[None].numpy(), b[None].numpy(), share)[0])
