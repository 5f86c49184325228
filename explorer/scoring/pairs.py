"""What the oracle's images do tell: which of two units matters more, even where neither differs clearly from zero."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.scoring.bootstrap import COVERED, Resampling
from explorer.scoring.oracle import Oracle

FIRST = 0.1  # share of the units that count as the most important ones
RESAMPLING = Resampling()
MOST = 500  # units that are paired; of more, so many at even distances in the ranking


@dataclass(frozen=True)
class ToldApart:
    """Pairs that one and the same of the two leads in all but (1 - COVERED) / 2 of the resamples of the images."""

    units: int  # that were paired
    pairs: int
    share: float  # of all pairs of units
    first_share: float  # of the pairs of a unit among the FIRST and one of the rest
    layers: int  # pairs of layers, by the mean of |change in loss| over their units
    layer_pairs: int


def told_apart(oracle: Oracle, resampling: Resampling = RESAMPLING) -> ToldApart:
    """Compare all units, and all layers, two by two, by |mean change in loss| over resamples of the N images.

    Both of a pair are measured on the same images, so what these have in common cancels, and a few images that matter
    to all units alike hide nothing, as they do in each unit's own standard error. Of two that are equally important,
    1 - COVERED of the pairs would be told apart by chance. Raises BadInput if the oracle is not whole yet.
    """
    if not oracle.whole:
        raise BadInput("Pairs of units are compared once all images are exact: go on with the oracle first.")
    order = oracle.oracle_abs.argsort(descending=True)
    if len(order) > MOST:
        order = order[torch.linspace(0, len(order) - 1, MOST).long()]
    means = _resampled_means(oracle.rows, resampling).abs()
    layers = torch.stack([means[:, place].mean(1) for place in oracle.units.slices.values()], 1)
    apart, apart_layers = _apart(means[:, order]), _apart(layers)
    first = max(1, round(FIRST * len(order)))
    pairs, layer_pairs = (len(each) * (len(each) - 1) // 2 for each in (apart, apart_layers))
    return ToldApart(
        units=len(order),
        pairs=pairs,
        share=int(apart.triu(1).sum()) / max(1, pairs),
        first_share=int(apart[:first, first:].sum()) / max(1, first * (len(order) - first)),
        layers=int(apart_layers.triu(1).sum()),
        layer_pairs=layer_pairs,
    )


def _resampled_means(rows: Tensor, resampling: Resampling) -> Tensor:
    """(N, units) -> (resamples, units)."""
    times = torch.stack([drawn.bincount(minlength=len(rows)) for drawn in resampling.rows(len(rows))])
    return times.to(rows.dtype) @ rows / len(rows)


def _apart(values: Tensor) -> Tensor:
    """(resamples, k) -> (k, k) bool: whether column a leads column b nearly always, or b leads a."""
    leads = torch.zeros(values.shape[1], values.shape[1], dtype=torch.int64)
    for row in values:
        leads += row[:, None] > row
    ahead = leads >= (1 - (1 - COVERED) / 2) * len(values)
    return ahead | ahead.T
