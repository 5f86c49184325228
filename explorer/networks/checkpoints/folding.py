"""Weights that are kept in parts (a mask, a norm, a direction), put together as their network does in eval mode."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Reparametrisation:
    """A reparametrisation: the endings of a weight's parts, where "{}" is the weight's name, and their sum."""

    name: str
    parts: tuple[str, ...]
    fold: Callable[..., Tensor]


def _masked(original: Tensor, mask: Tensor) -> Tensor:
    """w = original * mask, as torch.nn.utils.prune computes it."""
    return original * mask


def _normed(size: Tensor, direction: Tensor) -> Tensor:
    """w = g * v / ||v||, the norm over each dimension in which g has one entry (Salimans and Kingma 2016)."""
    spread = [d for d in range(direction.ndim) if size.ndim == 0 or size.shape[d] == 1]
    norm: Tensor = torch.linalg.vector_norm(direction, dim=spread, keepdim=True)
    return size * direction / norm


def _spectral(original: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """w = W / sigma with sigma = u^T W v, W as a matrix with the dimension of u first (Miyato et al. 2018)."""
    first = next(d for d in range(original.ndim) if original.shape[d] == len(left))
    matrix = original.movedim(first, 0).flatten(1)
    return original / (left @ matrix @ right)


KINDS = (
    Reparametrisation("a pruning mask", ("{}_orig", "{}_mask"), _masked),
    Reparametrisation("spectral norm", ("{}_orig", "{}_u", "{}_v"), _spectral),
    Reparametrisation("weight norm", ("{}_g", "{}_v"), _normed),
    Reparametrisation("weight norm", ("parametrizations.{}.original0", "parametrizations.{}.original1"), _normed),
    Reparametrisation(
        "spectral norm",
        ("parametrizations.{}.original", "parametrizations.{}.0._u", "parametrizations.{}.0._v"),
        _spectral,
    ),
)
WEIGHTS = ("weight", "bias", "weight_ih_l0", "weight_hh_l0")  # that are kept in parts


def folded(weights: Mapping[str, Tensor], expected: Collection[str]) -> tuple[dict[str, Tensor], dict[str, int]]:
    """The weights with parts put together, and how many of each kind were; in the order of the first parts.

    A part stays as it is where the network keeps it too: it is named so in `expected`.
    """
    result = dict(weights)
    counts: dict[str, int] = {}
    for kind in KINDS:
        if any(_ends(name, kind) for name in expected):
            continue
        for first in [name for name in weights if _ends(name, kind)]:
            if _fold(result, first, kind):
                counts[kind.name] = counts.get(kind.name, 0) + 1
    return result, counts


def _ends(name: str, kind: Reparametrisation) -> bool:
    return name.endswith(tuple(kind.parts[0].format(weight) for weight in WEIGHTS))


def _fold(result: dict[str, Tensor], first: str, kind: Reparametrisation) -> bool:
    """Replace the parts by their weight; False where some are missing or do not go together."""
    weight = max((each for each in WEIGHTS if first.endswith(kind.parts[0].format(each))), key=len)
    layer = first.removesuffix(kind.parts[0].format(weight))
    names = [layer + part.format(weight) for part in kind.parts]
    if not all(name in result for name in names) or layer + weight in result:
        return False
    try:
        value = kind.fold(*(result[name].float() for name in names))
    except (RuntimeError, IndexError, StopIteration):  # sizes that no such network has
        return False
    if value.shape != max((result[name] for name in names), key=Tensor.numel).shape:
        return False
    for name in names:
        del result[name]
    result[layer + weight] = value
    return True
