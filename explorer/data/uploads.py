"""Uploads: images that a person gave from a browser, kept in the work folder under what they hold.

The same images given twice are one copy. A run names them by a reference, "upload:DIGEST/NAME", so that its work folder
may be moved; the name is for people alone.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from explorer.core.errors import BadInput
from explorer.core.locks import in_turn
from explorer.core.text import one_line, quoted
from explorer.data.inventory import LITTER
from explorer.data.unpacking import Packed, archived, content_digest, unpack

DIGEST = re.compile("[0-9a-f]{64}")
REFERENCE = re.compile(r"upload:([0-9a-f]{64})/(.+)", re.DOTALL)
FOLDER = ("uploads", "images")  # in the work folder
LONGEST = 60  # letters of a name
UNNAMED = "images"


def keep_archive(workdir: Path, file: BinaryIO, name: str) -> str:
    """Keep the images of an uploaded .zip archive, or an .npz file as it is; its reference.

    Raises BadInput as `unpack` does, and for other files.
    """
    members, called = archived(file, name), _folder_name(Path(name).stem)
    if all(member.name.endswith(".npy") and "/" not in member.name for member in members):
        return _keep(workdir, name, [_whole(file, f"{called}.npz")], f"{called}.npz", alone=True)
    return _keep(workdir, name, _inside_of(_sole_folder(members), members), called)


def keep_folder(workdir: Path, files: Sequence[tuple[str, BinaryIO]]) -> str:
    """Keep the images of an uploaded folder: each file's name with its folders, and its bytes. Its reference."""
    packed = [_whole(file, name) for name, file in files]
    chosen = _sole_folder(packed)
    return _keep(workdir, chosen or "the upload", _inside_of(chosen, packed), _folder_name(chosen))


def kept_images(where: str, workdir: Path) -> str:
    """`where` with a reference replaced by the folder or file that it means; raises BadInput if that is gone."""
    place = place_of(where, workdir)
    if place is None:
        return where
    found = _inside(place)
    if found is None:
        raise BadInput(f"The images {quoted(title(where))} are no longer in the work folder: upload them again.")
    return str(found)


def referred(where: str) -> str | None:
    """The digest that a reference names; None for every other source of images."""
    found = REFERENCE.fullmatch(where)
    return found[1] if found else None


def title(where: str) -> str:
    """The name that a person gave the images of a source."""
    found = REFERENCE.fullmatch(where)
    return found[2] if found else where


def place_of(where: str, workdir: Path) -> Path | None:
    """The folder under the digest that a reference names, there or not; None for every other source of images."""
    digest = referred(where)
    return _home(workdir) / digest if digest else None


def is_home(folder: Path) -> bool:
    """Whether this is where a work folder keeps uploaded images."""
    return folder.parts[-2:] == FOLDER


def content_of(folder: Path) -> str:
    """The digest of what lies in a folder of kept images, which its name says too; "" where nothing does."""
    found = _inside(folder)
    return content_digest(found) if found else ""


def touch(where: str, workdir: Path) -> None:
    """Note that uploaded images are in use, even if no run uses them yet.

    Raises BadInput if gone.
    """
    os.utime(Path(kept_images(where, workdir)).parent)


def drop_unused(workdir: Path, before: float) -> list[Path]:
    """Delete the uploads that no kept document names, and that were not touched since `before`, in Unix seconds.

    Documents are searched for the digest alone, whatever their format: one that can't be read keeps everything.
    """
    home = _home(workdir)
    old = [path for path in (*home.glob("*"), *home.parent.glob("*")) if _is_older(path, before)]
    if not old:
        return []
    unused: list[Path] = []
    with in_turn(home), suppress(OSError):
        named = _named(workdir)
        unused = [path for path in old if path.name not in named and _is_older(path, before)]
        for path in unused:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return unused


def _home(workdir: Path) -> Path:
    return workdir.joinpath(*FOLDER)


def _whole(file: BinaryIO, name: str) -> Packed:
    size = file.seek(0, 2)
    file.seek(0)
    return Packed(name, size, lambda: nullcontext(file))


def _sole_folder(packed: Sequence[Packed]) -> str:
    """The one folder that holds all packed files, apart from those that systems add; "" if there is none."""
    parts = [file.name.replace("\\", "/").partition("/") for file in packed]
    tops = {top for top, _, _ in parts if top.lower() not in LITTER}
    names = {top for top, between, _ in parts if not between and top.lower() not in LITTER}
    sole = tops.pop() if len(tops) == 1 and not names else ""
    return "" if sole in (".", "..") or ":" in sole else sole


def _inside_of(folder: str, packed: Sequence[Packed]) -> list[Packed]:
    """The same by their names in a folder, which goes itself; those beside it as they are."""
    names = [file.name.replace("\\", "/") for file in packed]
    inside = [name.removeprefix(f"{folder}/") if folder else name for name in names]
    return [replace(file, name=name) for file, name in zip(packed, inside, strict=True) if name]


def _keep(workdir: Path, name: str, packed: Sequence[Packed], called: str, *, alone: bool = False) -> str:
    """Unpack into a hidden folder, which gets its place when it is whole; `alone`: one file, kept as it is."""
    home = _home(workdir)
    hidden = home / f".{uuid4().hex}.tmp"
    try:
        unpack(name, packed, hidden if alone else hidden / called)
        digest = content_digest(hidden / called)
        with in_turn(home):
            if _inside(home / digest) is None:
                hidden.replace(home / digest)
            os.utime(home / digest)
    except OSError as error:
        raise BadInput(f"{name} can't be kept in the work folder: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
    return f"upload:{digest}/{called}"


def _folder_name(title: str) -> str:
    """A title as the name of a folder."""
    return re.sub(r'[/\\:*?"<>|]', "_", one_line(title)).strip(". ")[:LONGEST] or UNNAMED


def _inside(folder: Path) -> Path | None:
    """The one folder or file that is kept under a digest."""
    with suppress(OSError):
        return next(folder.iterdir(), None)
    return None


def _is_older(path: Path, before: float) -> bool:
    """Whether this is an upload, or a rest of one, not touched since."""
    ours = DIGEST.fullmatch(path.name) or (path.name.startswith(".") and path.suffix == ".tmp")
    with suppress(OSError):
        return bool(ours) and path.lstat().st_mtime < before
    return False


def _named(workdir: Path) -> set[str]:
    """Every digest that a document of the work folder names; OSError where one can't be read."""
    found: set[str] = set()
    for place, folders, names in os.walk(workdir):
        folders[:] = [name for name in folders if name != FOLDER[0]]
        for name in names:
            if name.endswith(".json"):
                found |= set(DIGEST.findall((Path(place) / name).read_text(errors="replace")))
    return found
