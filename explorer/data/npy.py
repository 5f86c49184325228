"""Images and labels in a pair of .npy files: as large as the disk, as images are read when asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from explorer.data.images import ImageSet, image_set
from explorer.data.npz import MAX_BYTES, checked_header, checked_labels, first_line
from explorer.errors import BadInput


def open_npy_pair(images: Path, labels: Path, *, seed: int, limit: int | None) -> ImageSet:
    """`images` is uint8 (N, H, W), (N, H, W, 1) or (N, H, W, 3), in C order; `labels` integers (N,).

    The images are mapped, not loaded: memory holds those in use. BadInput for anything else.
    """
    x, y = _mapped(images, "x"), _mapped(labels, "y")
    if y.nbytes > MAX_BYTES:
        raise BadInput(f"{labels} claims {y.nbytes / 1024**3:.1f} GiB of labels: at most 2 GiB are read.")
    if len(x) != len(y):
        raise BadInput(f"{images} has {len(x)} images but {labels} {len(y)} labels.")
    if not x.flags.c_contiguous:
        raise BadInput(f"{images} is in Fortran order: save it again after numpy.ascontiguousarray.")
    numbers = checked_labels(labels, {"y": y})
    classes = [str(i) for i in range(numbers.max() + 1)]
    return image_set(images.stem, x, numbers, classes, seed=seed, limit=limit)


def _mapped(path: Path, name: str) -> np.memmap:
    try:
        with path.open("rb") as file:
            checked_header(path, file, name)
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except BadInput:
        raise
    except Exception as error:  # readers of damaged bytes raise errors of nearly every kind
        raise BadInput(f"{path} can't be read as .npy: {first_line(error)}.") from error
