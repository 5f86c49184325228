"""A data set of 100,000 images never sits in memory whole."""

from __future__ import annotations

import weakref
from pathlib import Path

import numpy as np
import pytest

from explorer.data import Batches, ImageSet, Preprocessing, batches, split_indices

N = 100_000
PLAIN = Preprocessing((0.5,), (0.25,))


class Alive:
    """Counts the pictures that were decoded, and how many were in memory at once."""

    def __init__(self) -> None:
        self.decoded = self.now = self.most = 0

    def picture(self, i: int) -> np.ndarray:
        made = np.full((8, 8), i % 251, np.uint8).view(Counted)
        self.decoded, self.now = self.decoded + 1, self.now + 1
        self.most = max(self.most, self.now)
        weakref.finalize(made, self.gone)
        return made

    def gone(self) -> None:
        self.now -= 1


class Counted(np.ndarray):
    """An array that a weak reference may point to."""


@pytest.fixture
def alive(monkeypatch: pytest.MonkeyPatch) -> Alive:
    counter = Alive()
    monkeypatch.setattr(ImageSet, "image", lambda self, i, channels: counter.picture(int(i)))
    return counter


def large() -> ImageSet:
    labels = np.arange(N) % 10
    splits = split_indices(labels, 0)
    return ImageSet("large", [Path("a.jpg")] * N, labels, tuple("abcdefghij"), splits, 0, (), "")


def test_only_what_is_asked_for_is_decoded(alive: Alive) -> None:
    few = Batches(large(), "calibration", PLAIN, limit=256)
    assert alive.decoded == 0
    assert sum(len(y) for _, y in few) == 256
    assert alive.decoded == 256


def test_pictures_go_as_soon_as_their_tensor_is_made(alive: Alive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "KEPT_BYTES", 8 * 8 * 5_000)
    many = Batches(large(), "validation", PLAIN, limit=6_000, size=50)
    for times in (1, 2):
        assert sum(len(y) for _, y in many) == 6_000
        assert alive.decoded == times * 6_000
    assert alive.most <= 2
    assert alive.now == 0
