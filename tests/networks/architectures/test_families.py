"""Families of architectures: a row of the table is all that a new one takes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from explorer.core.errors import BadInput
from explorer.data import Preprocessing
from explorer.networks.architectures.families import (
    FAMILIES,
    Family,
    build,
    input_shape_for,
    known_architectures,
    preprocessing_for,
)
from explorer.networks.architectures.fitting import propose
from explorer.networks.architectures.pretrained import imagenet
from explorer.networks.checkpoints.reading import Checkpoint

GREY = Preprocessing((0.5,), (0.25,))


def narrow(name: str, num_classes: int = 4) -> nn.Module:
    """(N, 1, H, W) -> (N, num_classes)."""
    stem = nn.Conv2d(1, 3, 3)
    return nn.Sequential(stem, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, num_classes))


PUBLISHED = narrow("narrow").state_dict()
MINE = Family(
    names=lambda: ("narrow",),
    knows=lambda name: name == "narrow",
    create=narrow,
    preprocessing=lambda name: GREY,
    side=lambda name: 12,
    published=lambda name: PUBLISHED,
)


def test_a_row_is_listed_built_described_published_and_recognised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAMILIES, "mine", MINE)
    assert known_architectures()[-1] == "mine:narrow"
    assert build("mine:narrow", 7)(torch.zeros(2, 1, 12, 12)).shape == (2, 7)
    assert preprocessing_for("mine:narrow") == GREY and input_shape_for("mine:narrow", GREY) == (1, 12, 12)
    assert imagenet("mine:narrow").weights is PUBLISHED
    assert propose(Checkpoint("mine.pt", build("mine:narrow", 7).state_dict())) == ("mine:narrow",)
    with pytest.raises(BadInput, match=r"the closest are mine:narrow\.$"):
        build("mine:narow")


def test_a_row_whose_names_are_typed_is_neither_listed_nor_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FAMILIES, "mine", replace(MINE, typed="narrow", published=None))
    assert "mine:narrow" not in known_architectures() and known_architectures("mine") == ("mine:narrow",)
    assert propose(Checkpoint("mine.pt", build("mine:narrow").state_dict())) == ()
    with pytest.raises(BadInput, match=r"the closest are mine:narrow\.$"):
        build("mine:narow")
    with pytest.raises(BadInput, match="Nobody publishes ImageNet weights of mine:narrow"):
        imagenet("mine:narrow")
