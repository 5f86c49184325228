"""Array headers: untrusted arrays of images and labels, judged before any of their values is read."""

from __future__ import annotations

import io
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from explorer.core.bounds import ARRAY_HEADER, ARRAY_IMAGES, CLASSES, IMAGE_CHANNELS
from explorer.core.errors import BadInput
from explorer.data.labels import of_numbers

IMAGES, LABELS, NAMES = "uint8, uint16 or int16", "integers", "strings"
"""What arrays may hold."""

SCALE = ": numpy.round(255 * x).astype('uint8') makes the first of 0 to 1"

READERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}

Shape = tuple[int, ...]


def checked_header(
    path: Path, file: IO[bytes], name: str, rule: str, *, floats: bool = False
) -> tuple[Shape, np.dtype]:
    """Shape and type of an array from its header alone; raises BadInput if one of this rule can't be like that.

    `floats` are let through as images and labels where their values are looked at afterwards.
    """
    shape, dtype, _ = header(path, file, name)
    whole = dtype.kind in "iu" and (rule == LABELS or dtype.itemsize <= 2)
    fits = {IMAGES: whole, LABELS: whole, NAMES: dtype.kind == "U"}[rule]
    floats = floats or (rule == IMAGES and not converts(shape))
    if not fits and not (floats and rule != NAMES and dtype.kind == "f" and dtype.itemsize <= 8):
        raise BadInput(f"{path} holds {name!r} as {dtype}: it must be {rule}{SCALE if rule == IMAGES else ''}.")
    {IMAGES: _check_images, LABELS: _check_labels, NAMES: _check_names}[rule](path, name, shape)
    return shape, dtype


def header(path: Path, file: IO[bytes], name: str) -> tuple[Shape, np.dtype, int]:
    """Shape and type of an array from its header, and that header's length in bytes; raises BadInput for others."""
    begin = io.BytesIO(file.read(ARRAY_HEADER.most + 16))  # a header may claim gigabytes of its own
    version = npy.read_magic(begin)
    if version not in READERS:
        raise BadInput(f"{path} holds {name!r} in npy version {version}: versions 1 and 2 are read.")
    shape, _, dtype = READERS[version](begin, max_header_size=ARRAY_HEADER.most)
    return shape, dtype, begin.tell()


def _check_images(path: Path, name: str, shape: Shape) -> None:
    if len(shape) not in (3, 4) or min(shape) < 1 or not (channels_last(shape) or channels_first(shape)):
        raise BadInput(
            f"{path} holds {name!r} of shape {shape}: it must be (N, H, W), (N, H, W, C) or (N, C, H, W), where C is 1 "
            "or 3, stands beside a square, or is less than H and W; else which axis it is can't be told."
        )
    IMAGE_CHANNELS.check(f"{path}, {name!r},", (*shape, 1)[channel_axis(shape) or 3])
    ARRAY_IMAGES.check(f"{path}, {name!r},", shape[0])


def _check_labels(path: Path, name: str, shape: Shape) -> None:
    if len(shape) not in (1, 2) or min(shape) < 1:
        raise BadInput(f"{path} holds {name!r} of shape {shape}: it must be (N,), (N, 1), or one-hot (N, classes).")
    CLASSES.check(f"{path}, {name!r},", (*shape, 1)[1])


def _check_names(path: Path, name: str, shape: Shape) -> None:
    if len(shape) != 1 or shape[0] < 1:
        raise BadInput(f"{path} holds {name!r} of shape {shape}: it must have one dimension, and not be empty.")
    CLASSES.check(f"{path}, {name!r},", shape[0])


def channel_axis(shape: Shape) -> int | None:
    """The axis of the channels: 3 of (N, H, W, C), and of grey (N, H, W), 1 of (N, C, H, W); None if it can't be told.

    1 or 3 channels behind, then those before height and width; else the axis beside a square, else the one that is
    shorter than both others.
    """
    if len(shape) not in (3, 4):
        return None
    if shape[3:] in ((), (1,), (3,)):
        return 3
    if shape[1] in (1, 3):
        return 1
    first, middle, last = shape[1:]
    if first == middle != last or last < min(first, middle):
        return 3
    return 1 if middle == last != first or first < min(middle, last) else None


def converts(shape: Shape) -> bool:
    """Whether images of this shape are grey or of three colours, as far as can be told."""
    axis = channel_axis(shape)
    return axis is None or (*shape, 1)[axis] in (1, 3)


def channels_last(shape: Shape) -> bool:
    """Whether images of this shape are grey, or have their channels behind."""
    return channel_axis(shape) == 3


def channels_first(shape: Shape) -> bool:
    """Whether images of this shape have their channels before height and width, and can't be meant otherwise."""
    return channel_axis(shape) == 1


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
