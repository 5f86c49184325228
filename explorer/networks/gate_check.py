"""Gated = pruned, checked on the network at hand: a layer that fails is not offered for pruning."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from explorer.networks.gates import Gated, open_gates
from explorer.networks.mixing import COUNTED, mixing
from explorer.networks.surgery import cut
from explorer.networks.units import Layer, Units

TOLERANCES = {torch.float64: 1e-9, torch.float32: 1e-4}  # of the largest logit, above what rounding does
SMALLEST = 28  # pixels a side of the images that layers are checked on
INEXACT = "removing its units gives another output than closing their gates (checked on two images)"
FIXED = "without some of its units the network can't run: something in it counts on their number, as view(-1, 256) does"

UNCHECKED = "one of several layers of which some can't be removed exactly: to find out which would take too long"
LEAST_CHECKS, LAYERS_CHECKED = 64, 20_000  # checks of a network, and layers that all checks together may hold


def exact_units(module: nn.Module, units: Units, shape: tuple[int, ...], seed: int = 0) -> Units:
    """The units for which removal computes what a closed gate computes; layers where it does not move to `unprunable`.

    Half of every layer is removed at once from a float64 copy and compared on two noise images, relative to
    the largest logit; only where that fails are layers searched by halving. Large images are shrunk where the network
    takes smaller ones: which channels go does not depend on their number of pixels. A network that turns its input to
    float32, by x.float(), is compared in that.
    """
    checked, images = _checkable(module, shape, seed)
    checks = iter(range(max(LEAST_CHECKS, LAYERS_CHECKED // max(1, len(units.layers)))))
    wrong = _inexact(checked, units.layers, images, checks)
    right = tuple(layer for layer in units.layers if layer not in wrong)
    if wrong and _fault(checked, right, images):  # each is exact alone, but not together
        right, wrong = (), dict.fromkeys(units.layers, INEXACT) | wrong
    told, reasons = mixing(checked, images) if wrong and _takes(checked, images) else {}, dict(units.unprunable)
    for layer, why in wrong.items():
        seen = next((told[writer] for writer in layer.writers if writer in told), why)
        reasons.update(dict.fromkeys(layer.writers, seen if why in (INEXACT, FIXED) else why))
    return Units(right, reasons)


def counts_on_channels(reason: str) -> bool:
    """Whether a layer can't be pruned as the code of its network counts on the number of its channels."""
    return reason == FIXED or COUNTED in reason


def _checkable(module: nn.Module, shape: tuple[int, ...], seed: int) -> tuple[nn.Module, Tensor]:
    """A copy of the module in the most exact type of TOLERANCES that it runs in, and two images for it.

    They have a quarter or half of the height and width, if that is enough for the network, or all of it.
    """
    smaller = [tuple(side // by for side in shape[-2:]) for by in (4, 2)]
    sizes = [*(size for size in smaller if min(size) >= SMALLEST), shape[-2:]]
    for dtype in TOLERANCES:
        checked, generator = copy.deepcopy(module).cpu().to(dtype), torch.Generator().manual_seed(seed)
        for size in sizes:
            images = torch.randn(2, *shape[:-2], *size, generator=generator, dtype=dtype)
            if _takes(checked, images):
                return checked, images
    return checked, images


def _takes(module: nn.Module, images: Tensor) -> bool:
    try:
        with torch.no_grad():
            logits = module(images)
    except Exception:  # too small for a pooling, or of another size than a linear layer reads
        return False
    return logits.dim() == 2 and len(logits) == len(images)


def _inexact(module: nn.Module, layers: Sequence[Layer], images: Tensor, checks: Iterator[int]) -> dict[Layer, str]:
    """The layers whose removal computes something else, with the reasons; checks: as many as may still be made."""
    if next(checks, None) is None:
        return dict.fromkeys(layers, UNCHECKED)
    fault = _fault(module, layers, images)
    if fault is None or len(layers) == 1:
        return {} if fault is None else {layers[0]: fault}
    middle = len(layers) // 2
    return _inexact(module, layers[:middle], images, checks) | _inexact(module, layers[middle:], images, checks)


def _fault(module: nn.Module, layers: Sequence[Layer], images: Tensor) -> str | None:
    """Why half of the units of these layers can't be removed together; None if they can."""
    if not layers:
        return None
    units = Units(tuple(layers), {})
    gone = np.concatenate([np.arange(len(layer)) % 2 == 1 for layer in units.layers])
    try:
        with torch.no_grad():
            pruned = cut(module, units, gone)(images)
            gated = Gated(module, units)(images, open_gates(torch.from_numpy(gone)).to(images.dtype))
    except Exception:  # a forward pass that hard-codes a channel count fails in its own way
        return FIXED
    tolerance = TOLERANCES[images.dtype]
    return None if bool((pruned - gated).abs().max() <= tolerance * gated.abs().max()) else INEXACT
