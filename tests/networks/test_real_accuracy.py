"""The accuracy of networks that others trained is what they measured, on real images."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer import open_network
from explorer.data import ALL, open_images
from explorer.evaluation.evaluate import evaluate
from explorer.networks.load import batches_for, for_classes

RESNET20 = ("cifar10/resnet20-12fca82f.th", "explorer:resnet20")
SQUEEZENET = ("leaf/squeezenet1_0_leaf.pth", "torchvision:squeezenet1_0")
MEASURED = [  # network, images, how many, accuracy, how far from that of so many
    (RESNET20, "cifar10/test_jpeg", None, 0.809, 0.005),
    (RESNET20, "cifar10/train4000_lossless.npz", None, 0.998, 0.005),
    (SQUEEZENET, "leaf/test", None, 0.97, 0.005),
    (SQUEEZENET, "leaf/train", 100, 0.98, 0.03),  # two standard errors, of 400 that take long
]


@pytest.mark.parametrize(("network", "where", "limit", "accuracy", "tolerance"), MEASURED)
def test_accuracy_is_what_others_measured(
    shared_data: Path, network: tuple[str, str], where: str, limit: int | None, accuracy: float, tolerance: float
) -> None:
    checkpoint, arch = network
    images = open_images(str(shared_data / where))
    opened = for_classes(open_network(shared_data / checkpoint, arch=arch), images.classes, images.name)
    found = evaluate(opened, batches_for(opened, images, ALL, limit))
    assert found.accuracy == pytest.approx(accuracy, abs=tolerance)
