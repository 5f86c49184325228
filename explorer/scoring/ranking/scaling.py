"""Scaling: saliencies made comparable across layers, each layer by itself.

Every function takes saliencies (..., units), and leaves the order within a layer as it is. Where units of (units,) are
already removed, and so at infinity, they stay there and do not count.

    >>> from explorer.networks.units import Layer, Units
    >>> units = Units(tuple(Layer(name, (0, 1), (), (), (), 2) for name in ("first", "second")), {})
    >>> saliency = torch.tensor([3.0, 4.0, 30.0, 40.0])  # the second layer's are ten times the first's
    >>> scaled(saliency, units, "max").tolist()
    [0.75, 1.0, 0.75, 1.0]
    >>> scaled(saliency, units, "max", charge=torch.tensor([0.0, 0.0, 0.5, 0.5])).tolist()  # dearer: they go first
    [0.75, 1.0, 0.25, 0.5]
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import torch
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.networks.units import Units
from explorer.scoring.ranking.places import average_places

OfLayer = Callable[[Tensor], Tensor]
Scaling = Callable[[Tensor, Units], Tensor]


def layer_by_layer(of_layer: OfLayer) -> Scaling:
    """The scaling of all units from that of one layer's saliencies, (..., units of the layer)."""

    @wraps(of_layer)
    def scale(saliency: Tensor, units: Units) -> Tensor:
        return torch.cat([_of_finite(of_layer, saliency[..., place]) for place in units.slices.values()], dim=-1)

    return scale


def _of_finite(of_layer: OfLayer, s: Tensor) -> Tensor:
    left = s.isfinite()
    if left.all():
        return of_layer(s)
    return s.masked_scatter(left, of_layer(s[left])) if left.any() else s


def _divided(s: Tensor, by: Tensor) -> Tensor:
    return torch.where(by > 0, s / by, s)


def unscaled(saliency: Tensor, units: Units) -> Tensor:
    """The saliency as it is: s."""
    return saliency


@layer_by_layer
def l1(s: Tensor) -> Tensor:
    """Share of the layer's sum: s / (sum over the layer of |s|); a layer of zeros stays zero."""
    return _divided(s, s.abs().sum(-1, keepdim=True))


@layer_by_layer
def l2(s: Tensor) -> Tensor:
    """Layer-wise l2: s / sqrt(sum over the layer of s^2); a layer of zeros stays zero. Molchanov et al. 2017."""
    return _divided(s, torch.linalg.vector_norm(s, dim=-1, keepdim=True))


@layer_by_layer
def largest(s: Tensor) -> Tensor:
    """Share of the layer's largest: s / (max over the layer of |s|); a layer of zeros stays zero."""
    return _divided(s, torch.linalg.vector_norm(s, ord=float("inf"), dim=-1, keepdim=True))


@layer_by_layer
def standard(s: Tensor) -> Tensor:
    """Standard score: (s - mean) / std of the layer, std with 1/n; a layer of equal saliencies becomes zero."""
    spread = s.amax(-1, keepdim=True) > s.amin(-1, keepdim=True)  # rounding leaves the std of equal values above zero
    score = (s - s.mean(-1, keepdim=True)) / s.std(-1, correction=0, keepdim=True)
    return torch.where(spread, score, 0.0)


@layer_by_layer
def rank(s: Tensor) -> Tensor:
    """Rank in the layer: (r - 1/2) / n, r = 1 for the least of n units, ties share their average; mean 1/2."""
    return torch.from_numpy(average_places(s.numpy()) - 0.5).to(s.dtype) / s.shape[-1]


SCALINGS: dict[str, Scaling] = {
    "none": unscaled,
    "l1": l1,
    "l2": l2,
    "max": largest,
    "standard": standard,
    "rank": rank,
}
SCALING_TITLES = {
    "none": "as it is",
    "l1": "layer-wise l1",
    "l2": "layer-wise l2",
    "max": "layer-wise maximum",
    "standard": "layer-wise standard score",
    "rank": "rank in the layer",
}


def check_scaling(name: str) -> None:
    """Raise BadInput unless there is such a scaling."""
    if name not in SCALINGS:
        raise BadInput(f"Unknown scaling '{name}'; known are {', '.join(SCALINGS)}.")


def scaled(saliency: Tensor, units: Units, scaling: str, charge: Tensor | None = None) -> Tensor:
    """The values that units are ranked by, (units,): the named scaling first, then minus each unit's charge, eq. 9.

        scaling(s)[u] - charge[u]

    charge: (units,), from `explorer.scoring.ranking.charges`. Raises BadInput for an unknown scaling.
    """
    check_scaling(scaling)
    found = SCALINGS[scaling](saliency, units)
    return found if charge is None else found - charge
