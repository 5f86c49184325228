"""Weights that layers compute anew in each pass, made plain: weight norm, spectral norm, pruning masks, one's own."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn.utils import parametrize, prune, remove_spectral_norm, remove_weight_norm
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

BY_HOOKS: tuple[tuple[type, str, Callable[[nn.Module, str], object]], ...] = (
    (WeightNorm, "name", remove_weight_norm),
    (SpectralNorm, "name", remove_spectral_norm),
    (prune.BasePruningMethod, "_tensor_name", prune.remove),
)
"""The hook of an older kind, its attribute that names the tensor, and what makes that plain."""

NOTE = "Made plain, with the values of eval mode: the computed weights of {0}."
NAMED = 4  # layers in a sentence


def with_plain_weights(module: nn.Module) -> str:
    """Fix in place what a module's layers compute as their weights; a sentence on which these are, "" for none."""
    made = [name for name, layer in module.named_modules() if _made_plain(layer)]
    shown = ", ".join(made[:NAMED]) + (f" and {len(made) - NAMED} more" if len(made) > NAMED else "")
    return NOTE.format(shown) if made else ""


@torch.enable_grad()
def _made_plain(layer: nn.Module) -> bool:
    """Whether it computed any, which are now parameters."""
    names = list(layer.parametrizations) if parametrize.is_parametrized(layer) else []  # type: ignore[arg-type]
    for name in names:
        layer.requires_grad_(True)  # else it would become a buffer
        parametrize.remove_parametrizations(layer, name, leave_parametrized=True)
    older = [
        (remove, getattr(hook, attribute))
        for hook in layer._forward_pre_hooks.values()
        for kind, attribute, remove in BY_HOOKS
        if isinstance(hook, kind)
    ]
    for remove, name in older:
        remove(layer, name)
    return bool(names or older)
