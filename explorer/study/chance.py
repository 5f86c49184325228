"""Chance: how far a random ranking's correlation with the oracle may lie from 0.

The correlation of a uniformly random ranking with any fixed one has expectation 0 and variance 1 / (n - 1), ties or
not; the mean over L layers of n_l units the variance sum of 1 / (n_l - 1), over L^2. Random numbers scaled by the l2
norm of their layer are no uniformly random ranking any more: those of small layers come out larger, so that chance
itself may correlate with an oracle that differs between layers of different width. There only draws tell.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy import stats
from torch import Tensor

from explorer.networks.units import Units
from explorer.scoring.criteria import CRITERIA
from explorer.scoring.ranking import measures

CONFIDENCE = 0.95


def of_chance(units: Units, oracle_abs: Tensor, draws: int, seed: int) -> dict[str, dict[str, Any]]:
    """Measure -> the mean of several draws with its t-interval, and the exact interval of a single draw around 0.

    draws: how many random rankings, of the seeds from `seed` on; the first is the one that a table shows.
    """
    saliency = torch.stack([CRITERIA["random"].function(units, seed + i) for i in range(draws)])
    expected = {"per_layer": _spread_of_layers(units, oracle_abs), "all_layers": (len(units) - 1) ** -0.5}
    found = {}
    for measure in measures():
        if measure.group == "spearman":
            values = measure.of(saliency, oracle_abs.expand(draws, -1), units)
            found[measure.name] = _told(values, expected.get(measure.name))
    return found


def _spread_of_layers(units: Units, oracle_abs: Tensor) -> float:
    """Standard deviation of the mean over layers; those without a correlation are left out."""
    counts = [len(part) for part in units.by_layer(oracle_abs).values() if len(part.unique()) > 1]
    return float(sum(1 / (count - 1) for count in counts) ** 0.5) / max(len(counts), 1)


def _told(values: np.ndarray, spread: float | None) -> dict[str, Any]:
    half = stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1) * values.std(ddof=1) / len(values) ** 0.5
    low, high = float(values.mean() - half), float(values.mean() + half)
    single = None if spread is None else float(stats.norm.ppf((1 + CONFIDENCE) / 2) * spread)
    return {
        "value": float(values[0]),
        "draws": len(values),
        "mean": float(values.mean()),
        "interval": [low, high],
        "expected": None if single is None else [-single, single],
        "zero": low <= 0 <= high,
    }
