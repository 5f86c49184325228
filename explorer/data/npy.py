"""Images and labels in a pair of .npy files: as large as the disk, as images are read when asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from explorer.core.bounds import NPY_LABELS, Bound, check_file
from explorer.core.errors import BadInput
from explorer.core.text import first_line
from explorer.data.array_headers import IMAGES, LABELS, as_labels, channels_last, checked_header
from explorer.data.array_numbers import form_note
from explorer.data.images import Account, ImageSet, Labelled, image_set


def open_npy_pair(images: Path, labels: Path, *, seed: int, limit: int | None) -> ImageSet:
    """`images` is (N, H, W) or (N, H, W, C), in C order; `labels` integers (N,), or one-hot.

    Numbers: uint8, uint16, int16, and floats where the images are neither grey nor RGB.
    The images are mapped, not loaded: memory holds those in use. Raises BadInput for anything else.
    """
    x, y = _mapped(images, "x", IMAGES), _mapped(labels, "y", LABELS, NPY_LABELS)
    if len(x) != len(y):
        raise BadInput(f"{images} has {len(x)} images but {labels} {len(y)} labels.")
    if not x.flags.c_contiguous:
        raise BadInput(f"{images} is in Fortran order: save it again after numpy.ascontiguousarray.")
    if not channels_last(x.shape):
        raise BadInput(f"{images} is of shape {x.shape}, channels first: save x.transpose(0, 2, 3, 1).copy().")
    numbers, count, note = as_labels(labels, "y", y)
    classes = [str(i) for i in range(count)]
    account = Account(notes=[*filter(None, [form_note("x", x.shape, x.dtype), note])])
    return image_set(images.stem, Labelled(x, numbers, classes), seed=seed, limit=limit, account=account)


def _mapped(path: Path, name: str, rule: str, bound: Bound | None = None) -> np.memmap:
    try:
        check_file(path, bound)
        with path.open("rb") as file:
            checked_header(path, file, name, rule)
        mapped: np.memmap = np.load(path, mmap_mode="r", allow_pickle=False)
        return mapped
    except BadInput:
        raise
    except Exception as error:  # readers of damaged bytes raise errors of nearly every kind
        raise BadInput(f"{path} can't be read as .npy: {first_line(error)}.") from error
