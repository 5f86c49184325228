"""Images in a folder with one sub-folder a class."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from explorer.data.images import ImageSet, has_header, image_set
from explorer.errors import BadInput

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


def open_folder(folder: Path, *, seed: int, limit: int | None) -> ImageSet:
    """The JPEG, PNG and WebP files of each sub-folder; classes are the sub-folders in alphabetical order.

    Files with other suffixes, hidden ones and deeper folders are not looked at. What can't be read is skipped
    and named in `skipped`; so is a sub-folder without an image, which stays a class, for labels must not shift.
    """
    try:
        groups = {sub.name: _image_files(sub) for sub in _visible(folder) if sub.is_dir()}
    except OSError as error:
        raise BadInput(f"folder {error.filename} can't be read: {error.strerror}.") from error
    if not groups:
        raise BadInput(f"folder {folder} has no sub-folders: it needs one a class, with the images in it.")
    good = {name: [path for path in paths if has_header(path)] for name, paths in groups.items()}
    files = [path for paths in good.values() for path in paths]
    if not files:
        raise BadInput(_nothing(folder, groups))
    labels = np.repeat(np.arange(len(good)), [len(paths) for paths in good.values()])
    classes = [name.encode(errors="replace").decode() for name in good]
    skipped = _skipped(folder, groups, set(files))
    return image_set(folder.resolve().name, files, labels, classes, seed=seed, limit=limit, skipped=skipped)


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _image_files(folder: Path) -> list[Path]:
    return [path for path in _visible(folder) if path.suffix.lower() in SUFFIXES and path.is_file()]


def _skipped(folder: Path, groups: dict[str, list[Path]], files: set[Path]) -> list[str]:
    empty = [str(folder / name) for name, paths in groups.items() if not paths]
    return empty + [str(path) for paths in groups.values() for path in paths if path not in files]


def _nothing(folder: Path, groups: dict[str, list[Path]]) -> str:
    count = sum(map(len, groups.values()))
    found = f"none of its {count} image files can be read" if count else "there is none"
    return f"folder {folder} needs JPEG, PNG or WebP images directly in its sub-folders, one a class: {found}."
