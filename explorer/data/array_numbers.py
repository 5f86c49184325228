"""Array numbers: images and labels stored as floats, taken as the bytes and whole numbers that they mean."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from explorer.core.errors import BadInput
from explorer.data.array_headers import Shape, channel_axis, converts
from explorer.data.bands import described


def as_pixels(path: Path, name: str, parts: Sequence[np.ndarray]) -> tuple[list[np.ndarray], str]:
    """The parts of one set of images, and a note where they are no grey or RGB images of uint8.

    Floats of grey or RGB are from 0 to 1, or whole from 0 to 255, and become uint8: the largest value of all parts
    tells which. All others stay as they are. Raises BadInput for other values, and for parts of unlike types.
    """
    if len({part.dtype for part in parts}) > 1:
        raise BadInput(f"{path} holds {name!r} and its other parts in unlike types: save all as uint8.")
    if not converts(parts[0].shape) or parts[0].dtype.kind != "f":
        return list(parts), form_note(name, parts[0].shape, parts[0].dtype)
    low, high = min(float(part.min()) for part in parts), max(float(part.max()) for part in parts)
    scale = 255 if high <= 1 else 1
    right = low >= 0 and high <= 255 and (scale == 255 or all((part == np.rint(part)).all() for part in parts))
    if not right:
        found = f"holds {name!r} as {parts[0].dtype} from {low:.6g} to {high:.6g}"
        raise BadInput(
            f"{path} {found}: floats must be from 0 to 1, or whole from 0 to 255; save what is not normalised."
        )
    note = f"{name!r} is {parts[0].dtype}, {f'from 0 to 1: {scale} times that, rounded' if scale > 1 else 'whole'}."
    return [_rounded(part, scale) for part in parts], note


def form_note(name: str, shape: Shape, dtype: np.dtype) -> str:
    """A sentence on an array of images that are no grey or RGB ones of uint8; "" on one of these."""
    axis = channel_axis(shape)
    if axis is None or (dtype == np.uint8 and converts(shape)):
        return ""
    order = "" if converts(shape) else f" ({'last' if axis == 3 else 'second'} axis)"
    return f"{name!r} has {described((*shape, 1)[axis], dtype)}{order}."


def _rounded(x: np.ndarray, scale: int) -> np.ndarray:
    """Image by image: whole arrays in between would take many times the memory."""
    out = np.empty(x.shape, np.uint8)
    for i, image in enumerate(x):
        out[i] = np.rint(image.astype(np.float64) * scale)
    return out


def whole_labels(path: Path, name: str, y: np.ndarray) -> np.ndarray:
    """Labels as integers; raises BadInput if floats are no whole numbers."""
    if y.dtype.kind != "f":
        return y
    if not (np.isfinite(y).all() and (y == np.rint(y)).all() and np.abs(y).max() < 2**53):
        raise BadInput(
            f"{path} holds {name!r} as {y.dtype} with values that are no whole numbers: classes are numbered."
        )
    return y.astype(np.int64)
