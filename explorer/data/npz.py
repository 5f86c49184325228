"""Images in a NumPy archive: untrusted bytes, so every array is judged by its header before it is read."""

from __future__ import annotations

import math
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib import format as npy

from explorer.core.bounds import ARRAY_IMAGES, NPZ_BYTES, NPZ_DIRECTORY, NPZ_UNPACKED, check_file
from explorer.core.errors import BadInput
from explorer.core.text import first_line, quoted
from explorer.data.array_headers import IMAGES, LABELS, NAMES, Shape, as_labels, channels_first, checked_header
from explorer.data.array_numbers import as_pixels, whole_labels
from explorer.data.images import Account, ImageSet, Labelled, first_names, image_set
from explorer.data.unpacking import directory_bytes

PARTS = ("train", "val", "valid", "validation", "test")
ALL = (
    ("x", "y"),
    *(
        (images, labels)
        for images in ("images", "data", "x")
        for labels in ("labels", "targets", "target", "y", "label")
    ),
    ("image", "label"),
    ("arr_0", "arr_1"),  # numpy.savez's names for unnamed arrays
)
"""How people call all images and all labels, in any case; the first pair that is there is read."""

PAIRS = ({part: (f"x_{part}", f"y_{part}") for part in PARTS}, {p: (f"{p}_images", f"{p}_labels") for p in PARTS})
"""How Keras and MedMNIST call images and labels of each part."""

BESIDE = {"classes": NAMES, "split": LABELS, "split_names": NAMES}


@dataclass(frozen=True)
class ArchiveLayout:
    """The arrays to read of an archive, with their rules; and which are images and labels of which part."""

    rules: dict[str, str]
    pairs: dict[str, tuple[str, str]]  # "" for all images together
    notes: tuple[str, ...]


def open_npz(path: Path, *, seed: int, limit: int | None) -> ImageSet:
    """Images of a .npz file.

    `x` (N, H, W), (N, H, W, C) or (N, C, H, W), see `channel_axis`; `y` integers (N,) or (N, 1), or one-hot; for other
    names see ALL, for floats `as_pixels` and `whole_labels`; optionally `classes`, strings, and `split`, integers (N,),
    with `split_names`, strings: stored splits (names: see `complete_splits`). Or such images and labels by parts, see
    PAIRS, which are the stored splits. Raises BadInput for anything else; other arrays in the file are not read.
    """
    contents, arrays = _read(path)
    names = _strings(path, arrays, "classes") if "classes" in arrays else None
    names_x, names_y = zip(*contents.pairs.values(), strict=True)
    images, scaled = as_pixels(path, names_x[0], [arrays.pop(name) for name in names_x])
    y = [whole_labels(path, name, arrays[name]) for name in names_y]
    flat = [each.reshape(len(each), -1) for each in y]
    if len({each.shape[1] for each in flat}) > 1 or len({each.shape[1:] for each in images}) > 1:
        raise BadInput(f"{path} holds parts whose images or labels are of unlike shapes.")
    labels, count, note = as_labels(path, names_y[0], np.concatenate(flat), len(names) if names else None)
    ends = np.cumsum([len(each) for each in images])
    parts = dict(zip(contents.pairs, np.split(np.arange(ends[-1]), ends[:-1]), strict=True))
    x = images[0] if len(images) == 1 else np.concatenate(images)
    labelled = Labelled(
        x.transpose(0, 2, 3, 1) if channels_first(x.shape) else x,
        labels,
        names or [str(i) for i in range(count)],
        _stored(path, arrays) if "" in parts else parts,
    )
    account = Account(notes=[*contents.notes, *filter(None, [scaled, note])])
    return image_set(path.stem, labelled, seed=seed, limit=limit, account=account)


def _read(path: Path) -> tuple[ArchiveLayout, dict[str, np.ndarray]]:
    try:
        check_file(path, NPZ_BYTES)
        with path.open("rb") as file:
            NPZ_DIRECTORY.check(path, directory_bytes(file))
        with zipfile.ZipFile(path) as archive:
            contents = _checked(path, archive)
            return contents, {name: _array(archive, name) for name in contents.rules}
    except BadInput:
        raise
    except zipfile.BadZipFile as error:
        raise BadInput(f"{path} is no .npz file: it is not a zip archive, or a damaged one.") from error
    except Exception as error:  # readers of damaged bytes raise errors of nearly every kind
        raise BadInput(f"{path} can't be read as .npz: {first_line(error)}.") from error


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(f"{name}.npy") as file:
        return npy.read_array(file, allow_pickle=False)


def _checked(path: Path, archive: zipfile.ZipFile) -> ArchiveLayout:
    """The arrays to read, after all headers have passed every check that needs no data."""
    contents = _found(path, {name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")})
    headers: dict[str, tuple[Shape, np.dtype]] = {}
    for name, rule in contents.rules.items():
        with archive.open(f"{name}.npy") as file:
            headers[name] = checked_header(path, file, name, rule, floats=name != "split")
    total = sum(math.prod(shape) * dtype.itemsize for shape, dtype in headers.values())
    if total > NPZ_UNPACKED.most:
        raise BadInput(
            f"{path} has {NPZ_UNPACKED.shown(total)}: at most {NPZ_UNPACKED.shown(NPZ_UNPACKED.most)} are read; "
            "a pair X.npy,Y.npy may be larger, as it stays on the disk."
        )
    _check_lengths(path, contents, {name: shape for name, (shape, _) in headers.items()})
    return contents


def _found(path: Path, there: set[str]) -> ArchiveLayout:
    """The arrays of the archive that are read, and as what."""
    spelled = {name.lower(): name for name in sorted(there)}
    pair = next((each for each in ALL if set(each) <= set(spelled)), ("x", "y"))
    named = next((each for each in PAIRS if any(x in spelled for x, _ in each.values())), {})
    rules = {"classes": NAMES} if "classes" in there else {}
    notes, alone = [], list[str]()
    if set(pair) <= set(spelled) and not (named and pair != ("x", "y")):
        pairs = {"": (spelled[pair[0]], spelled[pair[1]])}
        rules |= {name: rule for name, rule in BESIDE.items() if name in there}
        if pair != ("x", "y"):
            notes.append("Images are {!r}, labels {!r}.".format(*pairs[""]))
    else:
        pairs = {part: (spelled[x], spelled[y]) for part, (x, y) in named.items() if {x, y} <= set(spelled)}
        alone = [spelled[x] for x, y in named.values() if x in spelled and y not in spelled]
        notes += [f"Not read: {x!r}, for which there are no labels." for x in alone]
    if not pairs:
        missing, role = ("y", "labels") if "x" in spelled or named else ("x", "images")
        holds = f"; it has {first_names(sorted(there))}" if there else ""
        raise BadInput(f"{path} has no array {missing!r} ({role}): it needs 'x' (images) and 'y' (labels){holds}.")
    rules |= {x: IMAGES for x, _ in pairs.values()} | {y: LABELS for _, y in pairs.values()}
    if beside := sorted(there - set(rules) - set(alone)):
        notes.append(f"Not read: {first_names(list(map(repr, beside)))}, for which there is no use.")
    return ArchiveLayout(rules, pairs, tuple(notes))


def _check_lengths(path: Path, contents: ArchiveLayout, shapes: dict[str, Shape]) -> None:
    alike = [*contents.pairs.values(), *([("x", "split")] if "split" in shapes else [])]
    for images, values in alike:
        if shapes[values][0] != shapes[images][0]:
            raise BadInput(
                f"{path} has {shapes[images][0]} images in {images!r} but {shapes[values][0]} values in {values!r}."
            )
    ARRAY_IMAGES.check(path, sum(shapes[images][0] for images, _ in contents.pairs.values()))
    if ("split" in shapes) != ("split_names" in shapes):
        raise BadInput(f"{path} must have both 'split' (a number an image) and 'split_names' (strings), or neither.")


def _stored(path: Path, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray] | None:
    if "split" not in arrays:
        return None
    names, codes = _strings(path, arrays, "split_names"), arrays["split"].reshape(-1)
    low, high = int(codes.min()), int(codes.max())
    if low < 0 or high >= len(names):
        wrong = low if low < 0 else high
        raise BadInput(f"{path} has {wrong} in 'split', but only {len(names)} 'split_names', numbered from 0.")
    if len(set(names)) < len(names):
        raise BadInput(f"{path} names a split twice in 'split_names': {', '.join(names)}.")
    return {name: part for code, name in enumerate(names) if len(part := np.flatnonzero(codes == code))}


def _strings(path: Path, arrays: dict[str, np.ndarray], name: str) -> list[str]:
    try:
        strings: list[str] = arrays[name].tolist()
    except (ValueError, SystemError) as error:  # code points that are no characters
        raise BadInput(f"{path} holds {name!r} with bytes that are no text.") from error
    for string in strings:
        if not string.strip() or not string.isprintable():
            raise BadInput(f"{path} holds {quoted(string, 40)} in {name!r}: names must be printable and not blank.")
    return strings
