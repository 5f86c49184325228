"""Array numbers: images and labels stored as floats, taken as the bytes and whole numbers that they mean."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from explorer.core.errors import BadInput


def as_bytes(path: Path, name: str, parts: Sequence[np.ndarray]) -> tuple[list[np.ndarray], str]:
    """The parts of one set of images as uint8, and a note where they are floats: 0 to 1, or whole from 0 to 255.

    The largest value of all parts tells which. Raises BadInput for other values, and for parts of unlike types.
    """
    if len({part.dtype for part in parts}) > 1:
        raise BadInput(f"{path} holds {name!r} and its other parts in unlike types: save all as uint8.")
    if parts[0].dtype == np.uint8:
        return list(parts), ""
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
