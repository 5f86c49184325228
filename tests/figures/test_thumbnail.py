from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from explorer.figures.thumbnail import LARGEST, SIDE, photo, thumbnail


def pixels(values: np.ndarray, top: float) -> np.ndarray:
    encoded = thumbnail(values, top).removeprefix("data:image/png;base64,")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(encoded))))


def test_zero_is_the_scales_dark_end_and_the_top_its_bright_end() -> None:
    picture = pixels(np.array([[0.0, 2.0], [-1.0, 5.0]]), top=2.0)
    assert picture.shape == (SIDE, SIDE, 3)
    dark, bright = picture[0, 0].astype(int), picture[0, -1].astype(int)
    assert (picture[-1, 0] == dark).all()  # below zero is drawn as zero
    assert (picture[-1, -1] == bright).all()  # above the top as the top
    assert dark.sum() < bright.sum()


@pytest.mark.parametrize("top", [0.0, 1.0])
def test_a_dead_map_is_dark_all_over(top: float) -> None:
    assert len(np.unique(pixels(np.zeros((3, 3)), top).reshape(-1, 3), axis=0)) == 1


def shown(picture: np.ndarray) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(photo(picture).partition("base64,")[2])))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_small_image_is_shown_to_the_pixel(channels: int) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (9, 12, channels)).astype(np.uint8)
    assert (np.asarray(shown(picture)).reshape(picture.shape) == picture).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_a_large_image_is_made_smaller_in_its_own_shape(channels: int) -> None:
    picture = np.full((300, 600, channels), 90, np.uint8)
    small = shown(picture)
    assert small.size == (LARGEST, LARGEST // 2) and small.format == "JPEG"
    assert abs(np.asarray(small).astype(int) - 90).max() <= 1
