from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from explorer.core.errors import BadInput
from explorer.figures.overlays import SIDE, SLOTS, overlay, overlays
from explorer.figures.style import alt_text

YELLOW, SKY = (0xF0, 0xE4, 0x42), (0x56, 0xB4, 0xE9)


def test_levels_cover_a_dimmed_grey_image() -> None:
    image = np.array([[[30, 60, 90]] * 4], np.uint8)
    (row,) = overlay(image, np.array([[0.0, 1.0, -1.0, 0.5]]))
    assert row[0].tolist() == [30, 30, 30]  # half of the mean 60
    assert tuple(row[1]) == YELLOW and tuple(row[2]) == SKY
    assert row[3].tolist() == pytest.approx([(30 + ink) / 2 for ink in YELLOW], abs=0.51)


def pixels(fig: object, place: int) -> np.ndarray:
    source = fig.layout.images[place].source.removeprefix("data:image/png;base64,")  # type: ignore[attr-defined]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source))))


def test_every_image_stands_above_its_overlay_on_one_scale() -> None:
    images = np.full((2, 3, 4, 1), 100, np.uint8)
    maps = np.zeros((2, 3, 4))
    maps[0, 0, 0], maps[1, 2, 3] = 8.0, 4.0
    fig = overlays(images, maps, ["cat", "dog"], [8.0, 1 / 3], ["one", "two"])
    assert [(i.x, i.y < 0) for i in fig.layout.images] == [(0, False), (0, True), (1, False), (1, True)]
    first, over_first, _, over_second = (pixels(fig, place) for place in range(4))
    assert first.shape[0] * 4 == first.shape[1] * 3 and max(first.shape) >= SIDE
    assert (first == 100).all()
    assert tuple(over_first[0, 0]) == YELLOW
    assert over_second[-1, -1].tolist() == pytest.approx([(50 + ink) / 2 for ink in YELLOW], abs=0.51)
    assert [a.text for a in fig.layout.annotations] == ["cat<br>8", "dog<br>0.333"]
    assert fig.data[0].text == ("one", "two", "one", "two")
    assert "2 images" in alt_text(fig) and "largest value 8: cat, dog." in alt_text(fig)


def test_few_images_stay_small_and_dead_maps_can_be_drawn() -> None:
    images = np.zeros((1, 5, 5, 3), np.uint8)
    fig = overlays(images, np.zeros((1, 5, 5)), ["a"], [0.0], ["a"])
    assert fig.layout.xaxis.range == (0, SLOTS)
    assert not pixels(fig, 1).any()


def test_numbers_that_differ_are_refused() -> None:
    images = np.zeros((2, 5, 5, 3), np.uint8)
    with pytest.raises(BadInput, match="not 2, 2, 1, 2, 2"):
        overlays(images, np.zeros((2, 5, 5)), ["a"], [0, 0], ["a", "b"])
    with pytest.raises(BadInput, match="not 0, 0, 0, 0, 0"):
        overlays(images[:0], np.zeros((0, 5, 5)), [], [], [])
