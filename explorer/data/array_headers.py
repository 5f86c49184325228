"""Array headers: untrusted arrays of images and labels, judged before any of their values is read."""

from __future__ import annotations

import io
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from explorer.core.bounds import ARRAY_HEADER, ARRAY_IMAGES, CLASSES
from explorer.core.errors import BadInput
from explorer.data.labels import of_numbers

IMAGES, LABELS, NAMES = "uint8", "integers", "strings"
"""What arrays may hold."""

SCALE = ", 0 to 255: numpy.round(255 * x).astype('uint8') makes it of 0 to 1"

READERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}

Shape = tuple[int, ...]


def checked_header(
    path: Path, file: IO[bytes], name: str, rule: str, *, floats: bool = False
) -> tuple[Shape, np.dtype]:
    """Shape and type of an array from its header alone; raises BadInput if one of this rule can't be like that.

    `floats` are let through as images and labels where their values are looked at afterwards.
    """
    begin = io.BytesIO(file.read(ARRAY_HEADER.most + 16))  # a header may claim gigabytes of its own
    version = npy.read_magic(begin)
    if version not in READERS:
        raise BadInput(f"{path} holds {name!r} in npy version {version}: versions 1 and 2 are read.")
    shape, _, dtype = READERS[version](begin, max_header_size=ARRAY_HEADER.most)
    fits = {IMAGES: dtype == np.uint8, LABELS: dtype.kind in "iu", NAMES: dtype.kind == "U"}[rule]
    if not fits and not (floats and rule != NAMES and dtype.kind == "f"):
        raise BadInput(f"{path} holds {name!r} as {dtype}: it must be {rule}{SCALE if rule == IMAGES else ''}.")
    {IMAGES: _check_images, LABELS: _check_labels, NAMES: _check_names}[rule](path, name, shape)
    return shape, dtype


def _check_images(path: Path, name: str, shape: Shape) -> None:
    if len(shape) not in (3, 4) or min(shape) < 1 or not (channels_last(shape) or channels_first(shape)):
        raise BadInput(
            f"{path} holds {name!r} of shape {shape}: it must be (N, H, W), (N, H, W, 1), (N, H, W, 3) or (N, 3, H, W)."
        )
    ARRAY_IMAGES.check(f"{path}, {name!r},", shape[0])


def _check_labels(path: Path, name: str, shape: Shape) -> None:
    if len(shape) not in (1, 2) or min(shape) < 1:
        raise BadInput(f"{path} holds {name!r} of shape {shape}: it must be (N,), (N, 1), or one-hot (N, classes).")
    CLASSES.check(f"{path}, {name!r},", (*shape, 1)[1])


def _check_names(path: Path, name: str, shape: Shape) -> None:
    if len(shape) != 1 or shape[0] < 1:
        raise BadInput(f"{path} holds {name!r} of shape {shape}: it must have one dimension, and not be empty.")
    CLASSES.check(f"{path}, {name!r},", shape[0])


def channels_last(shape: Shape) -> bool:
    """Whether images of this shape are grey, or have their channels behind."""
    return shape[3:] in ((), (1,), (3,))


def channels_first(shape: Shape) -> bool:
    """Whether images of this shape have their channels before height and width, and can't be meant otherwise."""
    return len(shape) == 4 and shape[1] in (1, 3) and not channels_last(shape)


def as_labels(path: Path, name: str, y: np.ndarray, classes: int | None = None) -> tuple[np.ndarray, int, str]:
    """int64 labels (N,) from integers (N,), (N, 1) or one-hot (N, K); how many classes; a note where it is not plain.

    Without a number of `classes` their numbers decide it, see `of_numbers`. Raises BadInput for what can be no labels.
    """
    if y.ndim == 2 and y.shape[1] > 1:
        if not (((y == 0) | (y == 1)).all() and (y.sum(1) == 1).all()):
            raise BadInput(f"{path} holds {name!r} of shape {y.shape} that is not one-hot: a label an image is needed.")
        if classes not in (None, y.shape[1]):
            raise BadInput(f"{path} holds {name!r} of shape {y.shape}, one-hot, but has {classes} classes.")
        return y.argmax(1).astype(np.int64), y.shape[1], f"{name!r} is one-hot: classes are its columns."
    y = y.reshape(-1)
    low, high = int(y.min()), int(y.max())
    if low < 0 or high > CLASSES.most:
        raise BadInput(f"{path} has {low if low < 0 else high} in {name!r}: values must be 0 to {CLASSES.most - 1}.")
    found = of_numbers(f"{path}, {name!r},", np.unique(y).tolist())
    offset = low - found.numbers[str(low)] if classes in (None, high) else 0
    if classes is not None and high - offset >= classes:
        raise BadInput(f"{path} has the label {high} in {name!r}, but only {classes} classes, numbered from 0.")
    return y.astype(np.int64) - offset, classes or len(found.classes), found.note if offset or classes is None else ""
