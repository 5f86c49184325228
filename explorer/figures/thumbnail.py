"""A feature map or an image as a small picture for a table or a grid."""

from __future__ import annotations

import base64
import io
from functools import cache
from math import ceil, sqrt

import numpy as np
from PIL import Image
from plotly.colors import sample_colorscale, unlabel_rgb

SIDE = 72  # pixels
LARGEST = 160  # pixels of an image's longer side


def thumbnail(values: np.ndarray, top: float) -> str:
    """values (H, W), drawn from 0 (dark) to `top` (bright) in cividis; a PNG as a data URI."""
    return png(_coloured(values, top), SIDE, SIDE)


def contact_sheet(maps: np.ndarray, top: float) -> tuple[str, int, int]:
    """maps (N, H, W), drawn as `thumbnail` does, in rows of one picture, about as many as there are columns.

    Each value is one pixel. A PNG as a data URI, and its columns and rows of maps.
    """
    number, height, width = maps.shape
    columns = ceil(sqrt(number))
    rows = ceil(number / columns)
    filled = np.zeros((rows * columns, height, width))
    filled[:number] = maps
    sheet = filled.reshape(rows, columns, height, width).swapaxes(1, 2).reshape(rows * height, columns * width)
    return _encoded(Image.fromarray(_coloured(sheet, top)), "PNG"), columns, rows


def _coloured(values: np.ndarray, top: float) -> np.ndarray:
    levels = np.clip(np.asarray(values, np.float64) / (top or 1.0), 0, 1)
    return np.asarray(_colours()[(levels * 255).round().astype(int)])


def png(pixels: np.ndarray, width: int, height: int) -> str:
    """uint8 pixels (H, W, 3), each a sharp block, in so many screen pixels; a PNG as a data URI."""
    return _encoded(Image.fromarray(pixels).resize((width, height), Image.Resampling.NEAREST), "PNG")


def photo(pixels: np.ndarray) -> str:
    """pixels (H, W, 1) or (H, W, 3) uint8 as a data URI: a PNG, or a JPEG of LARGEST pixels where it is larger."""
    picture = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    if max(picture.size) <= LARGEST:
        return _encoded(picture, "PNG")
    picture.thumbnail((LARGEST, LARGEST))
    return _encoded(picture, "JPEG")


def _encoded(picture: Image.Image, kind: str) -> str:
    stream = io.BytesIO()
    picture.save(stream, kind)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"


@cache
def _colours() -> np.ndarray:
    """(256, 3) uint8."""
    return np.array([unlabel_rgb(c) for c in sample_colorscale("Cividis", np.linspace(0, 1, 256))]).astype(np.uint8)
