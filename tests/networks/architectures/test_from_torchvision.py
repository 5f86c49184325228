"""torchvision's architectures: what images go through is what their own transforms do."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torchvision

from explorer.core.errors import BadInput
from explorer.data.preprocessing import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from explorer.networks.architectures.from_torchvision import preprocessing

COLOUR = Preprocessing(IMAGENET_MEAN, IMAGENET_STD, 256, 224)


def test_what_images_go_through_before_some_networks() -> None:
    assert preprocessing("squeezenet1_0") == COLOUR
    assert preprocessing("efficientnet_b0") == replace(COLOUR, interpolation="bicubic")
    assert preprocessing("inception_v3") == replace(COLOUR, size=342, crop=299)


@pytest.mark.parametrize("arch", torchvision.models.list_models(module=torchvision.models))
def test_it_is_what_the_transforms_of_every_classifier_do(arch: str) -> None:
    weights = torchvision.models.get_model_weights(arch).DEFAULT
    found, transforms = preprocessing(arch), weights.transforms()
    assert [found.size] == transforms.resize_size
    assert [found.crop] == transforms.crop_size
    assert found.interpolation == transforms.interpolation.value
    assert (list(found.mean), list(found.std)) == (transforms.mean, transforms.std)


@pytest.mark.parametrize("arch", ["r3d_18", "mc3_18", "r2plus1d_18"])
def test_video_networks_take_clips(arch: str) -> None:
    transforms = torchvision.models.get_model_weights(arch).DEFAULT.transforms()
    found = preprocessing(arch)
    assert (found.frames, found.size, found.crop) == (16, transforms.resize_size[0], 112)
    assert (list(found.mean), list(found.std)) == (transforms.mean, transforms.std)


@pytest.mark.parametrize("arch", ["vgg99", "", "raft_large", "fcn_resnet50"])
def test_what_is_no_classifier_is_refused(arch: str) -> None:
    with pytest.raises(BadInput, match="torchvision"):
        preprocessing(arch)
