"""Images, or clips, in a folder with one sub-folder a class."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from explorer.data.decoding import SUFFIXES, Clip, unreadable
from explorer.data.images import ImageSet, image_set
from explorer.data.splits import ALIASES, SHARES
from explorer.errors import BadInput

SPLIT_NAMES = {*SHARES, *ALIASES, "train"}


@dataclass(frozen=True)
class Entry:
    """An image, as a clip of one frame, or a clip; and where it belongs."""

    split: str  # "" where the folder has no splits of its own
    label: str
    clip: Clip


def open_folder(folder: Path, *, seed: int, limit: int | None) -> ImageSet:
    """The JPEG, PNG and WebP files of each sub-folder; classes are the sub-folders in alphabetical order.

    Where no sub-folder holds an image but their own sub-folders do, these are clips: CLASS/CLIP/FRAME.jpg, frames in
    order of their names, numbers in them by value. Where all sub-folders are called like splits (train, val, test),
    each has the classes in it, and these are the stored splits. Files with other suffixes, hidden ones and folders
    below these are not looked at. What can't be read (see `unreadable`) is skipped and named in `skipped`, and is in
    no split; so is a folder without an image, which stays a class, for labels must not shift.
    """
    try:
        parts = _parts(folder)
        subs = [(split, sub) for split, part in parts.items() for sub in _folders(part)]
        are_clips = not any(_image_files(sub) for _, sub in subs)
        contents = [_contents(sub, are_clips) for _, sub in subs]
        empty = [str(sub) for (_, sub), clips in zip(subs, contents, strict=True) if not clips]
        empty += [str(clip) for _, sub in subs if are_clips for clip in _folders(sub) if not _image_files(clip)]
    except OSError as error:
        raise BadInput(f"folder {error.filename} can't be read: {error.strerror}.") from error
    if not subs:
        raise BadInput(f"folder {folder} has no sub-folders: it needs one a class, with the images in it.")
    entries = [
        Entry(split, sub.name, clip) for (split, sub), clips in zip(subs, contents, strict=True) for clip in clips
    ]
    files = [path for entry in entries for path in entry.clip.frames]
    bad = unreadable(files)
    good = [left for entry in entries if (left := _without(bad, entry)).clip.frames]
    if not good:
        raise BadInput(_nothing(folder, len(files)))
    classes = sorted({sub.name for _, sub in subs})
    numbers = {name: number for number, name in enumerate(classes)}
    splits = np.array([entry.split for entry in good])
    return image_set(
        folder.resolve().name,
        [entry.clip for entry in good] if are_clips else [entry.clip.frames[0] for entry in good],
        np.array([numbers[entry.label] for entry in good]),
        [name.encode(errors="replace").decode() for name in classes],
        seed=seed,
        limit=limit,
        stored=None if "" in parts else {split: np.flatnonzero(splits == split) for split in parts if split in splits},
        skipped=empty + [str(path) for path in files if path in bad],
    )


def _parts(folder: Path) -> dict[str, Path]:
    """Split -> the folder of its classes; "" -> the folder itself where it has no splits."""
    subs = _folders(folder)
    named = all(sub.name.lower() in SPLIT_NAMES for sub in subs) and not any(_image_files(sub) for sub in subs)
    return {sub.name.lower(): sub for sub in subs} if subs and named else {"": folder}


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _folders(folder: Path) -> list[Path]:
    return [path for path in _visible(folder) if path.is_dir()]


def _image_files(folder: Path) -> list[Path]:
    """Also links to nowhere: they are images that can't be read."""
    named = [path for path in _visible(folder) if path.suffix.lower() in SUFFIXES]
    return [path for path in named if path.is_file() or not path.exists()]


def _contents(folder: Path, are_clips: bool) -> list[Clip]:
    """The images or clips of a class, or of one split of it."""
    if not are_clips:
        return [Clip((path,)) for path in _image_files(folder)]
    return [Clip(tuple(sorted(frames, key=_by_number))) for each in _folders(folder) if (frames := _image_files(each))]


def _by_number(path: Path) -> list[tuple[int, str]]:
    """frame2 before frame10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", path.name)]


def _without(bad: Collection[Path], entry: Entry) -> Entry:
    return replace(entry, clip=Clip(tuple(path for path in entry.clip.frames if path not in bad)))


def _nothing(folder: Path, count: int) -> str:
    found = f"none of its {count} image files can be read" if count else "there is none"
    return f"folder {folder} needs JPEG, PNG or WebP images directly in its sub-folders, one a class: {found}."
