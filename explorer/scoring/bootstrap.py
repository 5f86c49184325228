"""Bootstrap: how far the agreement of criteria with the oracle hangs on the images that happened to be there.

The N calibration images are drawn anew, N of them with replacement, for the criteria and for the oracle alike, and
every figure is worked out again. The intervals say how far figures move with the images. They are no confidence
intervals for what infinitely many images would give: few images bias rank correlations, which no resampling shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.core.progress import Report, silent
from explorer.scoring.evidence import Evidence
from explorer.scoring.oracle import Oracle
from explorer.scoring.ranking import measures

RESAMPLES = 200
COVERED = 0.95

Interval = tuple[float, float]


def resampled(evidence: Evidence, rows: Tensor, images: int) -> Evidence:
    """The evidence that these of the N `images` would have given, in this order and as often as they are named.

    rows: int64, any number of image indices. Taken anew are the labels, and every tensor of shape (N, ..., units).
    """
    taken: Evidence = _taken(evidence, rows, images, len(evidence.units))
    return taken


def _taken(value: Any, rows: Tensor, images: int, units: int) -> Any:
    """`value` itself where it is not of the images: nothing is copied."""
    if isinstance(value, Tensor):
        of_images = value.ndim > 1 and (len(value), value.shape[-1]) == (images, units)
        return value[rows] if of_images else value
    if not is_dataclass(value) or isinstance(value, type):
        return value
    new = {f.name: _taken(getattr(value, f.name), rows, images, units) for f in fields(value)}
    if "labels" in new:
        new["labels"] = new["labels"][rows]
    changed = {name: part for name, part in new.items() if part is not getattr(value, name)}
    return replace(value, **changed) if changed else value


@dataclass(frozen=True)
class Resampling:
    """The number of resamples of the images, and the seed."""

    resamples: int = RESAMPLES
    seed: int = 0

    def rows(self, images: int) -> Tensor:
        """(resamples, images) int64: which image each drawn one is."""
        generator = torch.Generator().manual_seed(self.seed)
        return torch.randint(images, (self.resamples, images), generator=generator)


def intervals(
    evidence: Evidence,
    oracle: Oracle,
    score: Callable[[Evidence], Mapping[str, Tensor]],
    scaling: str = "l2",
    resampling: Resampling = Resampling(),
    report: Report = silent,
) -> dict[str, dict[str, Interval]]:
    """95 % intervals of `correlation_table`: criterion -> measure -> (low, high), percentiles over the resamples.

    score: evidence -> criterion -> saliency (units,). Evidence and oracle must be of the same images in the same order;
    raises BadInput if their numbers differ, or the oracle is not whole yet. Efron 1979.
    """
    images = oracle.total
    if not oracle.whole:
        raise BadInput(f"The oracle is of {oracle.images} of {images} images so far: intervals need all of them.")
    if evidence.seen is not None and len(evidence.seen) != images:
        raise BadInput(f"The oracle is of {images} images and the criteria are of {len(evidence.seen)}: take the same.")
    drawn = resampling.rows(images)
    saliencies = _scored(evidence, score, drawn, report)
    oracle_abs = (torch.stack([_counts(rows) for rows in drawn]) @ oracle.rows).abs() / images
    found: dict[str, dict[str, Interval]] = {}
    for name, rows in saliencies.items():
        found[name] = {m.name: _interval(m.of(rows, oracle_abs, oracle.units)) for m in measures(scaling)}
        report(len(drawn) + len(found), len(drawn) + len(saliencies), f"{name} compared with the oracle")
    return found


def _scored(
    evidence: Evidence, score: Callable[[Evidence], Mapping[str, Tensor]], drawn: Tensor, report: Report
) -> dict[str, Tensor]:
    """Criterion -> (resamples, units)."""
    parts = []
    for done, rows in enumerate(drawn, start=1):
        parts.append(score(resampled(evidence, rows, drawn.shape[1])))
        report(done, len(drawn) + len(parts[0]), "resamples of the images scored")
    return {name: torch.stack([part[name] for part in parts]) for name in parts[0]}


def _counts(rows: Tensor) -> Tensor:
    return torch.bincount(rows, minlength=len(rows)).double()


def _interval(values: np.ndarray) -> Interval:
    """The middle share COVERED of the values that are defined."""
    known = values[np.isfinite(values)]
    if not known.size:
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - COVERED) / 2, (1 + COVERED) / 2])
    return float(low), float(high)
