"""The accuracy of networks that others trained is what they measured, on real images."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import torch

from explorer import open_network
from explorer.data import ALL, open_images
from explorer.evaluation.evaluate import evaluate
from explorer.networks.load import batches_for, for_classes
from explorer.networks.network import Network

RESNET20 = ("cifar10/resnet20-12fca82f.th", "explorer:resnet20")
SQUEEZENET = ("leaf/squeezenet1_0_leaf.pth", "torchvision:squeezenet1_0")
MEASURED = [
    (RESNET20, "cifar10/test_jpeg", 0.809),
    (RESNET20, "cifar10/train4000_lossless.npz", 0.998),
    (SQUEEZENET, "leaf/test", 0.97),
    (SQUEEZENET, "leaf/train", 0.98),
]


@cache
def opened(checkpoint: Path, arch: str) -> Network:
    """A network that computes twice as fast as in the usual order of its weights."""
    network = open_network(checkpoint, arch=arch)
    network.module.to(memory_format=torch.channels_last)
    return network


@pytest.mark.parametrize(("network", "where", "accuracy"), MEASURED)
def test_accuracy_is_what_others_measured(
    shared_data: Path, network: tuple[str, str], where: str, accuracy: float
) -> None:
    images, (checkpoint, arch) = open_images(str(shared_data / where)), network
    asked = for_classes(opened(shared_data / checkpoint, arch), images.classes, images.name)
    assert evaluate(asked, batches_for(asked, images, ALL)).accuracy == pytest.approx(accuracy, abs=0.005)
