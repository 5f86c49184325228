"""This project's own architectures."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace

from torch import nn

from explorer.data.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from explorer.networks.architectures import small, video
from explorer.networks.architectures.stems import with_channels

NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "vgg_small": small.vgg_small,
    "vgg_tiny": small.vgg_tiny,
    "resnet20": small.resnet20,
    "resnet32": small.resnet32,
    "resnet56": small.resnet56,
    "r3dcnn": video.r3dcnn,
}
SIDES = {"vgg_small": 28, "vgg_tiny": 28, "r3dcnn": video.SIDE}  # pixels; 32 where it is not said
PLAIN_RGB = Preprocessing(IMAGENET_MEAN, IMAGENET_STD)  # in their own size
HANDWRITTEN = Preprocessing((0.1307,), (0.3081,))
PREPROCESSINGS = {
    "vgg_small": HANDWRITTEN,
    "vgg_tiny": HANDWRITTEN,
    "r3dcnn": replace(PLAIN_RGB, frames=video.CLIP),
}


def names() -> tuple[str, ...]:
    """All architectures."""
    return tuple(NETWORKS)


def knows(name: str) -> bool:
    """Whether it is one of them."""
    return name in NETWORKS


def create(name: str, in_channels: int | None = None, **options: int) -> nn.Module:
    """The network with random weights."""
    make = NETWORKS[name]
    if in_channels is None:
        return make(**options)
    if "in_channels" in inspect.signature(make).parameters:
        return make(in_channels=in_channels, **options)
    return with_channels(make(**options), in_channels)


def preprocessing(name: str) -> Preprocessing:
    """The preprocessing of its images: ImageNet's usual mean and deviation, their own size, unless said otherwise."""
    return PREPROCESSINGS.get(name, PLAIN_RGB)


def side(name: str) -> int:
    """Pixels of the images that it usually takes."""
    return SIDES.get(name, 32)
