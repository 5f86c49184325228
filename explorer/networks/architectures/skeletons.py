"""Skeletons: architectures without a random start, for their structure or for weights that are put into them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import torch
from torch import Size, Tensor, nn
from torch.overrides import TorchFunctionMode

from explorer.networks.architectures.families import create, split

RANDOM = (Tensor.normal_, Tensor.uniform_)  # which some of torch.nn.init call without being asked for themselves

Shapes = Mapping[str, Size]


class Uninitialised(TorchFunctionMode):
    """Leaves out torch.nn.init: weights that a checkpoint replaces need no random start."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """The function's result; an initialiser returns its tensor as it is."""
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == "torch.nn.init" or func in RANDOM:
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)


def empty_module(arch: str, trusted: bool, **options: int) -> nn.Module:
    """The architecture with whatever lies in its weights' memory."""
    with torch.random.fork_rng(devices=[]), Uninitialised():
        return create(arch, trusted=trusted, **options)


def skeleton_of(arch: str, trusted: bool, **options: int) -> nn.Module:
    """The architecture's structure, for its names and shapes alone."""
    return empty_module(arch, trusted, **options) if split(arch, trusted)[0] is None else _known(arch, **options)


@lru_cache(maxsize=64)
def _known(arch: str, **options: int) -> nn.Module:
    """A known architecture without memory, where it can be built so."""
    try:
        with torch.device("meta"):
            return empty_module(arch, False, **options)
    except (NotImplementedError, RuntimeError):  # it computes something from values on the way
        return empty_module(arch, False, **options)


def shapes_in(module: nn.Module) -> Shapes:
    """The shapes of a module's state dict."""
    return {name: tensor.shape for name, tensor in module.state_dict().items()}


def shapes_of(arch: str, trusted: bool, **options: int) -> Shapes:
    """The shapes of an architecture's state dict."""
    return shapes_in(skeleton_of(arch, trusted, **options))
