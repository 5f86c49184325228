"""torchvision's convolutional networks that classify images or clips."""

from __future__ import annotations

from functools import cache

import torchvision
from torch import Tensor, nn
from torchvision.transforms._presets import ImageClassification, VideoClassification

from explorer.core.errors import BadInput
from explorer.data.preprocessing import Preprocessing
from explorer.networks.architectures.stems import with_channels

CLIPS = ("r3d_18", "mc3_18", "r2plus1d_18")
TRANSFORMERS = ("vit_", "swin_", "maxvit_")
KINETICS_FRAMES = 16  # of the clips that the networks for clips were evaluated with
SIDE = 224  # pixels
# Auxiliary heads serve training alone; fine-tuned weights expect the input that the ImageNet weights were trained on.
AUX_OFF = {"aux_logits": False, "init_weights": False, "transform_input": True}
WITH_AUX = {"googlenet": AUX_OFF, "inception_v3": AUX_OFF}


@cache
def names() -> tuple[str, ...]:
    """All architectures."""
    known = torchvision.models.list_models(module=torchvision.models)
    return (*(name for name in known if not name.startswith(TRANSFORMERS)), *CLIPS)


def knows(name: str) -> bool:
    """Whether it is one of them."""
    return name in names()


def create(name: str, in_channels: int | None = None, **options: int) -> nn.Module:
    """The network with random weights."""
    network: nn.Module = torchvision.models.get_model(name, weights=None, **WITH_AUX.get(name, {}), **options)
    return network if in_channels is None else with_channels(network, in_channels)


def preprocessing(name: str) -> Preprocessing:
    """The preprocessing that its default weights were evaluated with; no download.

    Video networks get clips of 16 frames, as stated beside their weights. Their transforms resize to 128x171 whatever
    the shape of the video; here the shorter side is resized, which is the same for videos of 4:3 to within a pixel.
    """
    try:
        transforms = torchvision.models.get_model_weights(name)["DEFAULT"].transforms()
    except (ValueError, KeyError):
        raise BadInput(f"torchvision has no architecture with weights named {name!r}.") from None
    if not isinstance(transforms, (ImageClassification, VideoClassification)):
        raise BadInput(f"torchvision architecture {name!r} does not classify images.")
    frames = KINETICS_FRAMES if isinstance(transforms, VideoClassification) else None
    size, crop, interpolation = transforms.resize_size[0], transforms.crop_size[0], transforms.interpolation.value
    return Preprocessing(tuple(transforms.mean), tuple(transforms.std), size, crop, interpolation, frames)


def side(name: str) -> int:
    """Pixels of the images that all of them usually take."""
    return SIDE


def published(name: str) -> dict[str, Tensor]:
    """Its weights for ImageNet, or for Kinetics, from the cache or else downloaded."""
    default = torchvision.models.get_model_weights(name).DEFAULT
    weights: dict[str, Tensor] = default.get_state_dict(progress=False, check_hash=True)
    return weights


def alike(name: str) -> str:
    """The module that it comes from: all networks of one begin with a layer of the same name."""
    module: str = torchvision.models.get_model_builder(name).__module__
    return module
