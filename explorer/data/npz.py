"""Images in a NumPy archive: untrusted bytes, so every array is judged by its header before it is read."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from explorer.data.images import MAX_CLASSES, ImageSet, image_set
from explorer.errors import BadInput

MAX_BYTES = 2 * 1024**3  # of all arrays together, unpacked
KINDS = {"x": "uint8", "y": "integers", "classes": "strings", "split": "integers", "split_names": "strings"}


def open_npz(path: Path, *, seed: int, limit: int | None) -> ImageSet:
    """Images of a .npz file.

    `x` uint8 (N, H, W), (N, H, W, 1) or (N, H, W, 3); `y` integers (N,); optionally `classes`, strings, and
    `split`, integers (N,), with `split_names`, strings: stored splits (names: see `complete_splits`).
    BadInput for anything else; other arrays in the file are not read.
    """
    arrays = _read(path)
    labels = checked_labels(path, arrays)
    classes = _strings(path, arrays, "classes") if "classes" in arrays else [str(i) for i in range(labels.max() + 1)]
    if labels.max() >= len(classes):
        raise BadInput(f"{path} has the label {labels.max()} in 'y', but only {len(classes)} classes, numbered from 0.")
    stored = _stored(path, arrays)
    return image_set(path.stem, arrays["x"], labels, classes, seed=seed, limit=limit, stored=stored)


def _read(path: Path) -> dict[str, np.ndarray]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = _checked_names(path, archive)
            return {name: _array(archive, name) for name in names}
    except BadInput:
        raise
    except zipfile.BadZipFile as error:
        raise BadInput(f"{path} is no .npz file: it is not a zip archive, or a damaged one.") from error
    except Exception as error:  # readers of damaged bytes raise errors of nearly every kind
        raise BadInput(f"{path} can't be read as .npz: {first_line(error)}.") from error


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(f"{name}.npy") as file:
        return npy.read_array(file, allow_pickle=False)


def _checked_names(path: Path, archive: zipfile.ZipFile) -> list[str]:
    """The arrays to read, after their headers have passed every check that needs no data."""
    present = [name for name in KINDS if f"{name}.npy" in archive.namelist()]
    for name in ("x", "y"):
        if name not in present:
            raise BadInput(f"{path} has no array {name!r}: it needs 'x' (images) and 'y' (labels).")
    headers = {}
    for name in present:
        with archive.open(f"{name}.npy") as file:
            headers[name] = checked_header(path, file, name)
    total = sum(math.prod(shape) * dtype.itemsize for shape, dtype in headers.values())
    if total > MAX_BYTES:
        raise BadInput(
            f"{path} unpacks to {total / 1024**3:.1f} GiB: at most {MAX_BYTES / 1024**3:.0f} GiB are read; "
            "a pair X.npy,Y.npy may be larger, as it stays on the disk."
        )
    _check_lengths(path, {name: shape for name, (shape, _) in headers.items()})
    return present


def checked_header(path: Path, file: IO[bytes], name: str) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of an array from its header alone; BadInput where `name` ("x", "y", ...) can't be like that."""
    readers = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
    version = npy.read_magic(file)
    if version not in readers:
        raise BadInput(f"{path} holds {name!r} in npy version {version}: versions 1 and 2 are read.")
    shape, _, dtype = readers[version](file)
    _check_array(path, name, shape, dtype)
    return shape, dtype


def _check_array(path: Path, name: str, shape: tuple[int, ...], dtype: np.dtype) -> None:
    rule = KINDS[name]
    fits = {"uint8": dtype == np.uint8, "integers": dtype.kind in "iu", "strings": dtype.kind == "U"}[rule]
    if not fits:
        raise BadInput(f"{path} holds {name!r} as {dtype}: it must be {rule}.")
    if name == "x" and (len(shape) not in (3, 4) or min(shape) < 1 or shape[3:] not in ((), (1,), (3,))):
        raise BadInput(f"{path} holds 'x' of shape {shape}: it must be (N, H, W), (N, H, W, 1) or (N, H, W, 3).")
    if name != "x" and (len(shape) != 1 or shape[0] < 1):
        raise BadInput(f"{path} holds {name!r} of shape {shape}: it must have one dimension, and not be empty.")
    if rule == "strings" and shape[0] > MAX_CLASSES:
        raise BadInput(f"{path} holds {shape[0]} {name!r}: at most {MAX_CLASSES} are read.")


def _check_lengths(path: Path, shapes: dict[str, tuple[int, ...]]) -> None:
    for name in ("y", "split"):
        if name in shapes and shapes[name][0] != shapes["x"][0]:
            raise BadInput(f"{path} has {shapes['x'][0]} images in 'x' but {shapes[name][0]} values in {name!r}.")
    if ("split" in shapes) != ("split_names" in shapes):
        raise BadInput(f"{path} must have both 'split' (a number an image) and 'split_names' (strings), or neither.")


def checked_labels(path: Path, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """The labels `y`, after the range of all integers has been checked."""
    for name in ("y", "split"):
        low, high = (int(arrays[name].min()), int(arrays[name].max())) if name in arrays else (0, 0)
        if low < 0 or high >= MAX_CLASSES:
            raise BadInput(f"{path} has {low if low < 0 else high} in {name!r}: values must be 0 to {MAX_CLASSES - 1}.")
    return arrays["y"].astype(np.int64)


def _stored(path: Path, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray] | None:
    if "split" not in arrays:
        return None
    names, codes = _strings(path, arrays, "split_names"), arrays["split"]
    if int(codes.max()) >= len(names):
        raise BadInput(f"{path} has {codes.max()} in 'split', but only {len(names)} 'split_names', numbered from 0.")
    if len(set(names)) < len(names):
        raise BadInput(f"{path} names a split twice in 'split_names': {', '.join(names)}.")
    return {name: part for code, name in enumerate(names) if len(part := np.flatnonzero(codes == code))}


def _strings(path: Path, arrays: dict[str, np.ndarray], name: str) -> list[str]:
    try:
        strings = arrays[name].tolist()
    except (ValueError, SystemError) as error:  # code points that are no characters
        raise BadInput(f"{path} holds {name!r} with bytes that are no text.") from error
    for string in strings:
        if not string.strip() or not string.isprintable():
            raise BadInput(f"{path} holds {string[:40]!r} in {name!r}: names must be printable and not blank.")
    return strings


def first_line(error: Exception) -> str:
    """What one sentence can hold of an error."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
