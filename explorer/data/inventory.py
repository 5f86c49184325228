"""Inventory: everything that a folder holds, found once, before anything is made of it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from explorer.core.bounds import ARRAY_IMAGES, FOLDER_ENTRIES, FOLDER_LEVELS, FOLDER_SECONDS
from explorer.core.errors import BadInput
from explorer.data.decoding import looks_like_image

Dirs = tuple[str, ...]  # the folders between the one that was given and a file, outermost first

LITTER = {"__macosx", "thumbs.db", "desktop.ini", "$recycle.bin", "@eadir", "__pycache__"}
"""What operating systems leave in folders, beside all that begins with a dot."""


@dataclass(eq=False)
class Inventory:
    """The contents of a folder: every entry is in exactly one of these."""

    root: Path
    images: dict[Path, Dirs] = field(default_factory=dict)  # by name or by content; whether they can be read is open
    folders: list[Dirs] = field(default_factory=list)
    arrays: dict[Path, Dirs] = field(default_factory=dict)  # .npy files: images where there are no others
    ignored: dict[Path, str] = field(default_factory=dict)  # with the reason

    @property
    def bare(self) -> list[Dirs]:
        """The folders with no image in them at any depth, outermost only."""
        full = {dirs[:depth] for dirs in self.images.values() for depth in range(len(dirs) + 1)}
        return [dirs for dirs in self.folders if dirs not in full and dirs[:-1] in full]


def take_inventory(root: Path) -> Inventory:
    """The inventory of a folder, in the order of names; links are followed, but no folder is entered twice.

    Raises BadInput for a folder that can't be listed, or has more in it than the bounds of image folders.
    """
    found = Inventory(root)
    seen = {_identity(above) for above in root.resolve().parents}
    linked: list[tuple[Path, Dirs]] = []
    deadline = time.monotonic() + FOLDER_SECONDS.most
    todo: list[tuple[Path, Dirs]] = [(root, ())]
    while todo or linked:
        folder, dirs = todo.pop() if todo else linked.pop(0)  # a folder counts where it is rather than where links are
        if not _is_new(folder, seen):
            found.ignored[folder] = "a link to a folder that is looked at elsewhere"
            continue
        if dirs:
            found.folders.append(dirs)
        inner: list[tuple[Path, Dirs]] = []
        for entry in _listed(folder):
            if _sorted_in(found, entry, dirs):
                (linked if entry.is_symlink() else inner).append((folder / entry.name, (*dirs, entry.name)))
            _check_bounds(found, len(todo) + len(inner), deadline)
        todo += reversed(inner)
    if found.images:
        found.ignored.update(dict.fromkeys(found.arrays, "an array, beside files of images"))
        return replace(found, arrays={})
    return replace(found, images=found.arrays, arrays={})


def _is_new(folder: Path, seen: set[tuple[int, int]]) -> bool:
    identity = _identity(folder)
    new = identity not in seen
    seen.add(identity)
    return new


def _identity(folder: Path) -> tuple[int, int]:
    about = folder.stat()
    return about.st_dev, about.st_ino


def _listed(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from sorted(islice(entries, FOLDER_ENTRIES.most + 1), key=lambda entry: entry.name)
    except OSError as error:
        raise BadInput(f"folder {error.filename} can't be read: {error.strerror}.") from error


def _sorted_in(found: Inventory, entry: os.DirEntry[str], dirs: Dirs) -> bool:
    """Count an entry where it belongs; whether it is a folder to look into."""
    path = Path(entry.path)
    if entry.name.startswith(".") or entry.name.lower() in LITTER:
        found.ignored[path] = "hidden"
    elif _is_folder(entry):
        if len(dirs) < FOLDER_LEVELS.most:
            return True
        found.ignored[path] = f"deeper than {FOLDER_LEVELS.shown(FOLDER_LEVELS.most)}"
    elif path.suffix.lower() == ".npy":
        found.arrays[path] = dirs
    elif looks_like_image(path):
        found.images[path] = dirs
    else:
        found.ignored[path] = "no image"
    return False


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _check_bounds(found: Inventory, waiting: int, deadline: float) -> None:
    count = len(found.images) + len(found.arrays) + len(found.folders) + len(found.ignored) + waiting
    FOLDER_ENTRIES.check(f"folder {found.root}", count)
    ARRAY_IMAGES.check(f"folder {found.root}", len(found.images) + len(found.arrays))
    if time.monotonic() > deadline:
        raise BadInput(f"folder {found.root} takes over {FOLDER_SECONDS.most} seconds to list: copy its images nearer.")
