"""Class names that lie beside weights are checked against those of the images."""

from __future__ import annotations

import io
from typing import Any

import pytest
import torch

from explorer.core.errors import BadInput
from explorer.networks.architectures.families import build
from explorer.networks.checkpoints.class_names import class_names
from explorer.networks.load import for_classes, network_file
from explorer.networks.network import Network

NAMES = ("ant", "bee", "cat")
FOUND = {
    "name to number": {"class_to_idx": {"cat": 2, "ant": 0, "bee": 1}},
    "number to name": {"idx_to_class": {1: "bee", 0: "ant", 2: "cat"}},
    "number as text to name": {"id2label": {"0": "ant", "1": "bee", "2": "cat"}},
    "list": {"classes": ["ant", "bee", "cat"]},
    "in settings": {"epoch": 3, "hyper_parameters": {"class_names": ("ant", "bee", "cat")}},
}
NONE: dict[str, Any] = {
    "no names": {"epoch": 3},
    "a list of weights": [1, 2],
    "numbers from one": {"class_to_idx": {"ant": 1, "bee": 2, "cat": 3}},
    "one number twice": {"class_to_idx": {"ant": 0, "bee": 0, "cat": 1}},
    "one name twice": {"classes": ["ant", "ant", "cat"]},
    "their number": {"classes": 3},
    "one text": {"classes": "ant"},
    "labels of images": {"classes": [0, 1, 1]},
    "no text": {"classes": ["ant", "b\x1be", "cat"]},
    "too deep": {"a": {"b": {"classes": ["ant", "bee"]}}},
}


@pytest.mark.parametrize("saved", FOUND.values(), ids=FOUND)
def test_names_are_found_in_every_usual_form(saved: dict[str, Any]) -> None:
    assert class_names(saved) == NAMES


@pytest.mark.parametrize("saved", NONE.values(), ids=NONE)
def test_what_does_not_number_names_from_nought_names_none(saved: object) -> None:
    assert class_names(saved) == ()


def opened(**beside: object) -> Network:
    """A network of three outputs from a checkpoint with these entries beside its weights."""
    module = build("explorer:resnet20", num_classes=3)
    buffer = io.BytesIO()
    torch.save({"state_dict": module.state_dict(), **beside}, buffer)
    return network_file(buffer.getvalue(), "mine.pth", arch="explorer:resnet20").network()


def test_the_names_in_a_checkpoint_are_its_outputs_and_told() -> None:
    network = opened(class_to_idx={"cat": 2, "bee": 1, "ant": 0})
    assert (network.classes, network.remark) == (NAMES, "mine.pth names its classes.")
    assert for_classes(network, ("0", "1", "2"), "numbers").classes == NAMES
    assert for_classes(network, ("Ant", "Bee", "Cat"), "shown").classes == ("Ant", "Bee", "Cat")


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (
            ("bee", "ant", "cat"),
            "photos has its classes in another order than mine.pth: class 0 is 'bee' there and 'ant'",
        ),
        (("ant", "bee", "dog"), "photos has other classes than mine.pth: class 2 is 'dog' there and 'cat' here; where"),
    ],
)
def test_images_of_other_classes_than_the_checkpoint_names_are_refused(classes: tuple[str, ...], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        for_classes(opened(classes=list(NAMES)), classes, "photos")


def test_names_that_are_not_as_many_as_the_outputs_are_told_and_not_used() -> None:
    network = opened(classes=["ant", "bee"])
    assert network.classes == ("0", "1", "2")
    assert network.remark == "mine.pth has 2 class names, which are not used for its 3 outputs."
