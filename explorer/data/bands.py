"""Bands: what images of any number of channels hold, each value kept as precise as it is stored."""

from __future__ import annotations

from math import prod
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from explorer.core.bounds import IMAGE_BYTES, IMAGE_CHANNELS, IMAGE_VALUES, check_file
from explorer.core.errors import BadInput
from explorer.core.text import counted, first_line
from explorer.data.array_headers import Shape, channel_axis, header

COLOURS = {1: "L", 3: "RGB"}
"""Channels of the images that are converted into each other -> their mode in Pillow."""

MAGIC = b"\x93NUMPY"


def full_value(dtype: np.dtype) -> int | None:
    """The stored value that means 1: the largest of whole numbers, 1 for floats; None for types that are not read."""
    if dtype.kind in "iu" and dtype.itemsize <= 2:
        return int(np.iinfo(dtype).max)
    return 1 if dtype.kind == "f" and dtype.itemsize <= 8 else None


def described(channels: int, dtype: np.dtype) -> str:
    """A clause for people: how many channels, and how their values are read."""
    full = full_value(dtype)
    scale = "as they are" if full == 1 else f"as value / {full}"
    return f"{counted(channels, 'channel')} of {dtype.name}, read {scale}"


def check_kind(dtype: np.dtype) -> None:
    """Raises BadInput for a type whose values can't be put on the scale of mean and std."""
    if full_value(dtype) is None:
        raise BadInput(
            f"it holds {dtype}, whose full value is not known: save it as uint8, uint16 or int16, which are divided by "
            "their largest value, or as float32, which is taken as it is"
        )


def check_size(subject: object, shape: Shape) -> None:
    """Raises BadInput for an image (H, W, C) of more channels or values than are read."""
    height, width, channels = shape
    IMAGE_CHANNELS.check(subject, channels)
    IMAGE_VALUES.check(subject, height * width * channels)


def unit_values(image: np.ndarray) -> np.ndarray:
    """(H, W, C) of an image (H, W) or (H, W, C): uint8 as it is, others as float32 on the scale of mean and std.

    Raises BadInput for other shapes, types that are not read, and values that are not finite.
    """
    if image.ndim not in (2, 3) or not image.size:
        raise BadInput(f"an image is {image.dtype} {image.shape}: it must be (H, W) or (H, W, C).")
    try:
        check_kind(image.dtype)
    except BadInput as error:
        raise BadInput(f"an image can't be read: {error}.") from error
    image = image if image.ndim == 3 else image[:, :, None]
    if image.dtype == np.uint8:
        return image
    with np.errstate(over="ignore"):  # told below
        values = image.astype(np.float32) / np.float32(full_value(image.dtype) or 1)
    if not np.isfinite(values).all():
        raise BadInput("an image has values that are not finite numbers: write 0, or leave it out.")
    return values


def array_form(path: Path) -> tuple[Shape, np.dtype]:
    """(H, W, C) and type of the image in a .npy file, from its header alone; raises BadInput if there can be none."""
    try:
        check_file(path, IMAGE_BYTES)
        with path.open("rb") as file:
            shape, dtype, begin = header(path, file, "the image")
            size = file.seek(0, 2)
    except BadInput:
        raise
    except Exception as error:  # readers of damaged bytes raise errors of nearly every kind
        raise BadInput(f"{path} can't be read as .npy: {first_line(error)}.") from error
    axis = channel_axis((1, *shape)) if len(shape) in (2, 3) and min(shape) > 0 else None
    if axis is None:
        raise BadInput(f"{path} is of shape {shape}: which axis has its channels can't be told; save it as (H, W, C).")
    try:
        check_kind(dtype)
    except BadInput as error:
        raise BadInput(f"{path} can't be read: {error}.") from error
    if prod(shape) * dtype.itemsize > size - begin:
        raise BadInput(f"{path} can't be read: it is cut off.")
    form = oriented_shape(shape, axis)
    check_size(path, form)
    return form, dtype


def array_image(path: Path) -> np.ndarray:
    """(H, W, C) of a .npy file (H, W), (H, W, C) or (C, H, W), in its own type; raises BadInput as `array_form`."""
    array_form(path)
    with path.open("rb") as file:
        return oriented(npy.read_array(file, allow_pickle=False))


def oriented(image: np.ndarray) -> np.ndarray:
    """(H, W, C) of an image whose axis of channels can be told, see `channel_axis`."""
    if image.ndim == 2:
        return image[:, :, None]
    return image.transpose(1, 2, 0) if channel_axis((1, *image.shape)) == 1 else image


def oriented_shape(shape: Shape, axis: int) -> Shape:
    """The shape of `oriented`."""
    if len(shape) == 2:
        return (*shape, 1)
    return (*shape[1:], shape[0]) if axis == 1 else shape
