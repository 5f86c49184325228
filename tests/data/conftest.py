"""Images written for one test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pictures import picture
from PIL import Image


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., Path]:
    """Call with class=count: a folder of lossless images, `CLASS/0.png` and so on."""

    def make(**counts: int) -> Path:
        for c, (name, count) in enumerate(counts.items()):
            (tmp_path / "photos" / name).mkdir(parents=True)
            for i in range(count):
                Image.fromarray(picture(100 * c + i)).save(tmp_path / "photos" / name / f"{i}.png")
        return tmp_path / "photos"

    return make


@pytest.fixture
def save_npz(tmp_path: Path) -> Callable[..., Path]:
    """Call with arrays: the path of a .npz of them."""

    def save(**arrays: object) -> Path:
        path = tmp_path / "set.npz"
        np.savez_compressed(path, **{name: np.asarray(array) for name, array in arrays.items()})
        return path

    return save
