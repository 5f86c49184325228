"""Ranking: saliencies made comparable across layers, put in order, and compared with the oracle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from scipy import stats
from torch import Tensor

from explorer.errors import BadInput
from explorer.networks.units import Units

FLOPS_PENALTY = 1e-3  # Molchanov et al. 2017, eq. 9


def l2(saliency: Tensor, units: Units) -> Tensor:
    """Layer-wise l2: s / sqrt(sum over the layer of s^2); a layer of zeros stays zero. Molchanov et al. 2017."""
    square_sums = torch.zeros(len(units.layers), dtype=saliency.dtype).index_add_(0, units.layer_index, saliency**2)
    norms = square_sums.sqrt()[units.layer_index]
    return torch.where(norms > 0, saliency / norms, saliency)


def unscaled(saliency: Tensor, units: Units) -> Tensor:
    """The saliency as it is."""
    return saliency


SCALINGS: dict[str, Callable[[Tensor, Units], Tensor]] = {"l2": l2, "none": unscaled}


def regularise(saliency: Tensor, unit_flops: Tensor, penalty: float = FLOPS_PENALTY) -> Tensor:
    """FLOPs regularisation: s - penalty * (MFLOPs of one feature map). Molchanov et al. 2017, eq. 9."""
    return saliency - penalty * unit_flops / 1e6


def ranks(saliency: Tensor) -> Tensor:
    """(units,) -> global rank, 1 = most important; ties share their average rank."""
    return torch.from_numpy(stats.rankdata(-saliency.numpy()))


def spearman(a: Tensor, b: Tensor) -> float:
    """Spearman's rank correlation, eq. 10, with average ranks for ties; nan where either side is constant."""
    if len(a) < 2 or a.unique().numel() < 2 or b.unique().numel() < 2:
        return float("nan")
    return float(stats.spearmanr(a.numpy(), b.numpy()).statistic)


@dataclass(frozen=True)
class RankStatistics:
    """Where one layer's units stand in the global ranking (Fig. 2): ranks, 1 = most important."""

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


@dataclass(frozen=True)
class Correlation:
    """One column of the paper's Table 1: Spearman's correlation of a criterion with oracle-abs."""

    per_layer: float  # mean over layers; those where it is undefined are left out
    all_layers: float
    all_layers_l2: float


def correlate(saliency: Tensor, oracle_abs: Tensor, units: Units) -> Correlation:
    """How well a criterion's ranking agrees with the oracle's; the oracle itself is never scaled."""
    pairs = zip(units.by_layer(saliency).values(), units.by_layer(oracle_abs).values(), strict=True)
    layers = torch.tensor([spearman(a, b) for a, b in pairs], dtype=torch.float64)
    return Correlation(
        per_layer=float(layers.nanmean()),
        all_layers=spearman(saliency, oracle_abs),
        all_layers_l2=spearman(l2(saliency, units), oracle_abs),
    )


def correlation_table(saliencies: Mapping[str, Tensor], oracle_abs: Tensor, units: Units) -> dict[str, Correlation]:
    """Table 1 for one network: criterion -> its three correlations with oracle-abs."""
    return {name: correlate(s, oracle_abs, units) for name, s in saliencies.items()}


def scaled(
    saliency: Tensor, units: Units, scaling: str, unit_flops: Tensor | None = None, penalty: float = 0.0
) -> Tensor:
    """Saliency made comparable across layers: the named scaling first, then the price of FLOPs."""
    if scaling not in SCALINGS:
        raise BadInput(f"Unknown scaling '{scaling}'; known are {', '.join(SCALINGS)}.")
    result = SCALINGS[scaling](saliency, units)
    return regularise(result, unit_flops, penalty) if penalty and unit_flops is not None else result
