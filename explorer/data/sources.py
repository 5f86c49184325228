"""Sources: where images come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from explorer.core.errors import BadInput
from explorer.core.text import quoted
from explorer.data.assets import asset
from explorer.data.csv_tables import open_table
from explorer.data.folders import open_folder
from explorer.data.gesture_set import open_gestures
from explorer.data.images import ImageSet
from explorer.data.npy import open_npy_pair
from explorer.data.npz import open_npz
from explorer.data.pixel_tables import holds_pixels, open_pixel_table
from explorer.data.tables_in_folders import labelling_table, notes_on, tables_in
from explorer.data.torchvision_sets import download_torchvision, open_torchvision

DEMO_IMAGES = "images.npz"
GESTURES = "gestures"
PREFIX = "torchvision:"


@dataclass(frozen=True)
class Wanted:
    """The images that are asked for, and how to open them."""

    where: str
    seed: int
    limit: int | None
    clips: bool  # whether folders are read as CLASS/CLIP/FRAME

    @property
    def path(self) -> Path:
        """`where` as a file or folder."""
        return Path(self.where).expanduser()


def _open_demo(wanted: Wanted) -> ImageSet:
    return replace(open_npz(asset(DEMO_IMAGES), seed=wanted.seed, limit=wanted.limit), name="demo")


def _open_gestures(wanted: Wanted) -> ImageSet:
    return open_gestures(wanted.seed, wanted.limit)


def _open_torchvision(wanted: Wanted) -> ImageSet:
    return open_torchvision(wanted.where.removeprefix(PREFIX), seed=wanted.seed, limit=wanted.limit)


def _open_folder(wanted: Wanted) -> ImageSet:
    """By the table in it where that labels the images, or where there is one and the folders do not."""
    table = None if wanted.clips else labelling_table(wanted.path)
    if table:
        return _told(table, wanted)
    try:
        return open_folder(wanted.path, seed=wanted.seed, limit=wanted.limit, clips=wanted.clips)
    except BadInput:
        tables = tables_in(wanted.path)
        if len(tables) != 1 or wanted.clips:
            raise
    return _told(tables[0], wanted)


def _told(table: Path, wanted: Wanted) -> ImageSet:
    """The images of a table in a folder, under the folder's name."""
    images = _open_table(replace(wanted, where=str(table)))
    notes = notes_on(table, wanted.path, images)
    return replace(images, name=wanted.path.resolve().name, notes=(*notes, *images.notes))


def _open_npz(wanted: Wanted) -> ImageSet:
    return open_npz(wanted.path, seed=wanted.seed, limit=wanted.limit)


def _open_npy_pair(wanted: Wanted) -> ImageSet:
    images, labels = _pair(wanted.where)
    return open_npy_pair(images, labels, seed=wanted.seed, limit=wanted.limit)


def _open_table(wanted: Wanted) -> ImageSet:
    opened = open_pixel_table if holds_pixels(wanted.path) else open_table
    return opened(wanted.path, seed=wanted.seed, limit=wanted.limit)


def _pair(where: str) -> list[Path]:
    """The two files of "X.npy,Y.npy", or those of another number that `where` lists."""
    return [Path(part).expanduser() for part in where.split(",")]


def _is_file(where: str, suffix: str) -> bool:
    return where.lower().endswith(suffix) and Path(where).expanduser().exists()  # a pipe is refused where it is read


def _is_pair(where: str) -> bool:
    return len(_pair(where)) == 2 and all(path.suffix.lower() == ".npy" and path.exists() for path in _pair(where))


Recognise = Callable[[str], bool]
Open = Callable[[Wanted], ImageSet]

SOURCES: dict[str, tuple[Recognise, Open]] = {
    "demo": (lambda where: where == "demo", _open_demo),
    f"{GESTURES} (synthetic clips)": (lambda where: where == GESTURES, _open_gestures),
    "torchvision:NAME": (lambda where: where.startswith(PREFIX), _open_torchvision),
    "FOLDER (one sub-folder a class)": (lambda where: Path(where).expanduser().is_dir(), _open_folder),
    "FILE.npz": (lambda where: _is_file(where, ".npz"), _open_npz),
    "X.npy,Y.npy": (_is_pair, _open_npy_pair),
    "FILE.csv": (lambda where: _is_file(where, ".csv"), _open_table),
}
"""Kind -> whether `where` is of that kind, and what opens it; the first that fits is taken."""


NAMED = tuple(SOURCES)[:3]
"""The kinds that are names, and no path of a folder or file."""


def is_named(where: str) -> bool:
    """Whether this is a source of one of the kinds in NAMED."""
    return any(SOURCES[kind][0](where) for kind in NAMED)


def open_images(
    where: str, *, seed: int = 0, limit: int | None = None, download: bool = False, clips: bool = False
) -> ImageSet:
    """The images that `where` means, which is one of SOURCES; BadInput otherwise.

    `seed` decides the splits and their order; `limit` keeps a class-stratified subset (see `image_set`);
    `download` fetches a data set of torchvision that is not on the disk: without it nothing is ever downloaded;
    `clips` is for networks that take frames: folders then hold clips (see `open_folder`).
    """
    if seed < 0:
        raise BadInput(f"seed is {seed}: it must be 0 or above.")
    if limit is not None and limit < 1:
        raise BadInput(f"limit is {limit}: at least 1 image is needed.")
    if download:
        if not where.startswith(PREFIX):
            raise BadInput(
                f"only data sets of torchvision can be downloaded, and {quoted(where, 200)} is none of them: "
                "leave --download out."
            )
        download_torchvision(where.removeprefix(PREFIX))
    for recognise, opener in SOURCES.values():
        if where.strip() and _fits(recognise, where):
            return opener(Wanted(where, seed, limit, clips))
    raise BadInput(f"data {quoted(where, 200)} does not exist, or is of no known kind: give {' or '.join(SOURCES)}.")


def _fits(recognise: Recognise, where: str) -> bool:
    try:
        return recognise(where)
    except (OSError, ValueError, RuntimeError):  # a name that no file can have, an unknown ~user
        return False
