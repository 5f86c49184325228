"""Stems: the first convolution of an architecture for images of other channels, or of fewer pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn
from torch.nn.modules.conv import _ConvNd

from explorer.core.errors import BadInput


@dataclass(frozen=True)
class Stem:
    """A 3x3 convolution with padding 1 in place of the usual one of 5x5 or more."""

    stride: int | None  # None: as usual
    pooled: bool  # whether the max-pooling behind it stays
    says: str


STEMS = {
    "cifar": Stem(1, False, "stride 1, no max-pooling"),
    "pooled": Stem(1, True, "stride 1, max-pooling"),
    "strided": Stem(None, True, "stride and max-pooling as usual"),
}
KERNEL = 3  # pixels, of all these
SETTINGS = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "padding_mode")


Named = tuple[str, _ConvNd]


def stem_of(module: nn.Module) -> Named | None:
    """The first convolution, and its name; None where there is none."""
    return next(((name, layer) for name, layer in module.named_modules() if isinstance(layer, _ConvNd)), None)


def own_stem(module: nn.Module) -> Named:
    """The first convolution of a known architecture, and its name."""
    found = stem_of(module)
    assert found is not None, f"a {type(module).__name__} has no convolution"
    return found


def with_channels(module: nn.Module, channels: int) -> nn.Module:
    """The module itself, made to read images of so many channels."""
    name, conv = own_stem(module)
    if channels != conv.in_channels:
        module.set_submodule(name, like(conv, in_channels=channels))
        if hasattr(module, "transform_input"):  # of RGB, from one normalisation to another
            setattr(module, "transform_input", False)  # noqa: B010 - an attribute of some architectures only
    return module


def with_stem(module: nn.Module, word: str) -> nn.Module:
    """The module itself with one of STEMS; raises BadInput if it has none to put in its place."""
    stem, (name, conv) = STEMS[word], own_stem(module)
    pooling = next((path for path, layer in module.named_modules() if isinstance(layer, nn.MaxPool2d)), None)
    if max(conv.kernel_size) <= KERNEL or pooling is None:
        raise BadInput(f"A {type(module).__name__} has no stem of a large kernel and a max-pooling to replace.")
    module.set_submodule(name, like(conv, kernel_size=KERNEL, stride=stem.stride or conv.stride, padding=1))
    if not stem.pooled:
        module.set_submodule(pooling, nn.Identity())
    return module


def like(conv: _ConvNd, **changes: Any) -> _ConvNd:
    """An untrained convolution as this one, but for some of its settings."""
    settings = {name: getattr(conv, name) for name in SETTINGS} | {"bias": conv.bias is not None}
    made: _ConvNd = type(conv)(**{**settings, **changes})
    return made
