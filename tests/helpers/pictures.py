"""Images for tests."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import numpy as np
from PIL import Image


def picture(seed: int, height: int = 6, width: int = 8, channels: int = 3) -> np.ndarray:
    """Random pixels, uint8 (H, W, C) or (H, W) for one channel."""
    shape = (height, width) if channels == 1 else (height, width, channels)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def png_bytes(seed: int, height: int = 6, width: int = 8) -> bytes:
    """A random picture as a PNG file."""
    stream = io.BytesIO()
    Image.fromarray(picture(seed, height, width)).save(stream, "PNG")
    return stream.getvalue()


def zipped(files: Mapping[str, bytes]) -> io.BytesIO:
    """A .zip archive of these files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream
