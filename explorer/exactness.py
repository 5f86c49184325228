"""Gated = pruned, checked on the network at hand: a layer that fails is not offered for pruning."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from explorer.gates import Gated, open_gates
from explorer.networks.units import Layer, Units
from explorer.surgery import cut

INEXACT = "removing its units gives another output than closing their gates (checked on two images)"


def exact_units(module: nn.Module, units: Units, shape: tuple[int, ...], seed: int = 0) -> Units:
    """The units for which removal computes what a closed gate computes; layers where it does not move to `unprunable`.

    Half of every layer is removed at once from a float64 copy and compared on two noise images, relative to
    the largest logit; only where that fails are layers searched by halving.
    """
    images = torch.randn(2, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    double = copy.deepcopy(module).cpu().double()
    wrong = {layer.name for layer in _inexact(double, units.layers, images)}
    right = tuple(layer for layer in units.layers if layer.name not in wrong)
    if wrong and not _agrees(double, Units(right, {}), images):  # each is exact alone, but not together
        right, wrong = (), {layer.name for layer in units.layers}
    return Units(right, {**units.unprunable, **dict.fromkeys(sorted(wrong), INEXACT)})


def _inexact(module: nn.Module, layers: Sequence[Layer], images: Tensor) -> list[Layer]:
    if _agrees(module, Units(tuple(layers), {}), images):
        return []
    if len(layers) == 1:
        return list(layers)
    middle = len(layers) // 2
    return _inexact(module, layers[:middle], images) + _inexact(module, layers[middle:], images)


def _agrees(module: nn.Module, units: Units, images: Tensor, tolerance: float = 1e-9) -> bool:
    if not units.layers:
        return True
    gone = np.concatenate([np.arange(len(layer)) % 2 == 1 for layer in units.layers])
    try:
        with torch.no_grad():
            pruned = cut(module, units, gone)(images)
            gated = Gated(module, units)(images, open_gates(torch.from_numpy(gone)).double())
    except Exception:  # a forward pass that hard-codes a channel count fails in its own way
        return False
    return bool((pruned - gated).abs().max() <= tolerance * gated.abs().max())
