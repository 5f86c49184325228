"""Sources: where images come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from explorer.data.assets import asset
from explorer.data.folders import open_folder
from explorer.data.images import ImageSet
from explorer.data.npz import open_npz
from explorer.data.torchvision_sets import open_torchvision
from explorer.errors import BadInput

DEMO_IMAGES = "images.npz"
PREFIX = "torchvision:"


def _open_demo(where: str, seed: int, limit: int | None) -> ImageSet:
    return replace(open_npz(asset(DEMO_IMAGES), seed=seed, limit=limit), name="demo")


def _open_torchvision(where: str, seed: int, limit: int | None) -> ImageSet:
    return open_torchvision(where.removeprefix(PREFIX), seed=seed, limit=limit)


def _open_folder(where: str, seed: int, limit: int | None) -> ImageSet:
    return open_folder(Path(where).expanduser(), seed=seed, limit=limit)


def _open_npz(where: str, seed: int, limit: int | None) -> ImageSet:
    return open_npz(Path(where).expanduser(), seed=seed, limit=limit)


Recognise = Callable[[str], bool]
Open = Callable[[str, int, int | None], ImageSet]

SOURCES: dict[str, tuple[Recognise, Open]] = {
    "demo": (lambda where: where == "demo", _open_demo),
    "torchvision:NAME": (lambda where: where.startswith(PREFIX), _open_torchvision),
    "FOLDER (one sub-folder a class)": (lambda where: Path(where).expanduser().is_dir(), _open_folder),
    "FILE.npz": (lambda where: where.lower().endswith(".npz") and Path(where).expanduser().is_file(), _open_npz),
}
"""Kind -> whether `where` is of that kind, and what opens it; the first that fits is taken."""


def open_images(where: str, *, seed: int = 0, limit: int | None = None) -> ImageSet:
    """The images that `where` means: "demo", a folder, a .npz file or "torchvision:NAME"; BadInput otherwise.

    `seed` decides the splits and their order; `limit` keeps a class-stratified subset (see `image_set`).
    """
    if seed < 0:
        raise BadInput(f"seed is {seed}: it must be 0 or above.")
    if limit is not None and limit < 1:
        raise BadInput(f"limit is {limit}: at least 1 image is needed.")
    for recognise, opener in SOURCES.values():
        if where.strip() and _fits(recognise, where):
            return opener(where, seed, limit)
    raise BadInput(f"data {where[:200]!r} is not there or of no known kind: give {' or '.join(SOURCES)}.")


def _fits(recognise: Recognise, where: str) -> bool:
    try:
        return recognise(where)
    except (OSError, ValueError, RuntimeError):  # a name that no file can have, an unknown ~user
        return False
