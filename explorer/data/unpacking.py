"""Unpacking: uploaded files, or those of a .zip archive, written below a folder that nothing leads out of.

Names, kinds and sizes are judged before the first byte is written; contents are read in pieces, and never kept whole.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO

from explorer.core.bounds import FOLDER_LEVELS, UPLOAD_DIRECTORY, UPLOAD_FILES, UPLOAD_UNPACKED
from explorer.core.errors import BadInput
from explorer.core.text import quoted

PIECE = 2**20  # bytes that are copied at once
LONGEST_NAME = 255  # bytes of a file's or folder's name: what file systems take
END, TAIL = b"PK\5\6", 22 + 65_535  # beginning of a .zip archive's last record, and its largest distance from the end
CONTROL = ("Cc", "Cs")  # categories of Unicode: control characters, halves of pairs
ENCRYPTED = 1  # flag of a member


@dataclass(frozen=True)
class Packed:
    """A file, or an empty folder, that is to be written."""

    name: str  # with its folders, as the archive says
    size: int  # bytes, as stated
    reader: Callable[[], AbstractContextManager[IO[bytes]]] | None  # None for a folder
    trick: str = ""  # why it is refused, whatever its name is


def archived(file: BinaryIO, name: str) -> list[Packed]:
    """The files and folders of a .zip archive.

    Raises BadInput if it is none, or its list alone would fill the memory.
    """
    UPLOAD_DIRECTORY.check(name, directory_bytes(file))
    try:
        archive = zipfile.ZipFile(file)
    except Exception as error:  # readers of damaged bytes raise errors of nearly every kind
        raise BadInput(f"{name} is no .zip archive, or a damaged one: pack the folder of images as .zip.") from error
    return [_member(archive, info) for info in archive.infolist()]


def directory_bytes(file: BinaryIO) -> int:
    """The length of a .zip archive's list of files, in bytes, by its last record; 0 if there is none."""
    size = file.seek(0, 2)
    file.seek(max(0, size - TAIL))
    tail = file.read()
    plain = tail[-22:].startswith(END) and tail.endswith(b"\0\0")
    end = len(tail) - 22 if plain else tail.rfind(END)
    large = tail[max(0, end - 76) : max(0, end - 20)]  # the record of archives with over 65,535 files
    if tail[max(0, end - 20) :].startswith(b"PK\6\7") and large.startswith(b"PK\6\6"):
        return int.from_bytes(large[40:48], "little")
    return int.from_bytes(tail[end + 12 : end + 16], "little") if end >= 0 else 0


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Packed:
    kind = stat.S_IFMT(info.external_attr >> 16)
    trick = ""
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        trick = "is a link or a device"
    elif info.flag_bits & ENCRYPTED:
        trick = "is encrypted"
    is_folder = info.filename.endswith(("/", "\\"))
    return Packed(info.filename, info.file_size, None if is_folder else lambda: archive.open(info), trick)


def unpack(name: str, packed: Sequence[Packed], folder: Path) -> None:
    """Write all that is packed below `folder`, which is made.

    Raises BadInput before anything is written where a name leads elsewhere, comes twice, or is none that a file can
    have, where a member is no plain file, and where there are more files or bytes than the bounds of uploads or the
    disk take; and afterwards where the contents are damaged.
    """
    UPLOAD_FILES.check(name, len(packed))
    UPLOAD_UNPACKED.check(name, sum(file.size for file in packed))
    places = [_place(name, file) for file in packed]
    _check_unlike(name, packed, places)
    try:
        folder.mkdir(parents=True)
        if (free := shutil.disk_usage(folder).free) < sum(file.size for file in packed):
            raise BadInput(
                f"{name} does not fit on the disk, where {UPLOAD_UNPACKED.shown(free)} are free: make room, "
                "or upload fewer images."
            )
        for file, place in zip(packed, places, strict=True):
            _write(file, folder / place)
    except OSError as error:
        raise BadInput(f"{name} can't be written to the work folder: {error.strerror or error}.") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise BadInput(f"{name} is damaged, or packed in a way that is not read: pack it again as .zip.") from error


def _write(file: Packed, path: Path) -> None:
    if file.reader is None:
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with file.reader() as packed, path.open("xb") as written:
        shutil.copyfileobj(packed, written, PIECE)
        if written.tell() != file.size:
            raise EOFError


def _place(name: str, file: Packed) -> PurePosixPath:
    """Where a file goes; raises BadInput if its name, or what it is, may do harm."""
    parts = [part for part in file.name.replace("\\", "/").split("/") if part != "."]
    trick = file.trick or next((why for why, has in TRICKS.items() if has(file.name, parts)), "")
    if trick:
        raise BadInput(
            f"{name} has {quoted(file.name)} in it, which {trick}: nothing was unpacked; pack it again without that."
        )
    FOLDER_LEVELS.check(f"{quoted(file.name)} in {name}", len(parts) - 1)
    return PurePosixPath(*filter(None, parts))


TRICKS: dict[str, Callable[[str, list[str]], bool]] = {
    "leads out of the folder": lambda name, parts: ".." in parts,
    "begins at the root of a disk": lambda name, parts: parts[:1] == [""] or bool(re.match("[A-Za-z]:", name)),
    "has control characters in its name": lambda name, parts: any(unicodedata.category(c) in CONTROL for c in name),
    "has a name that is too long": lambda name, parts: any(len(part.encode()) > LONGEST_NAME for part in parts),
    "has no name": lambda name, parts: not any(parts),
}
"""Why a name is refused -> whether it is like that; the name as it is packed, and its parts."""


def _check_unlike(name: str, packed: Sequence[Packed], places: Sequence[PurePosixPath]) -> None:
    """Raises BadInput if two files would be written to one place, or one where others need a folder."""
    seen: set[PurePosixPath] = set()
    for file, place in zip(packed, places, strict=True):
        if file.reader and place in seen:
            raise BadInput(f"{name} has {quoted(str(place))} in it twice: pack it again with one of them.")
        if file.reader:
            seen.add(place)
    folders = {above for place in places for above in place.parents}
    folders |= {place for file, place in zip(packed, places, strict=True) if file.reader is None}
    if both := seen & folders:
        raise BadInput(
            f"{name} has {quoted(str(min(both)))} in it as a file and as a folder: pack it again with one of them."
        )


def content_digest(folder: Path) -> str:
    """SHA-256 of the names and contents of all files below a folder, or of one file's content."""
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else [folder]
    return hashlib.sha256(json.dumps(list(_told(folder, files))).encode()).hexdigest()


def _told(folder: Path, files: Iterable[Path]) -> Iterable[tuple[str, str]]:
    for path in files:
        with path.open("rb") as file:
            yield path.relative_to(folder).as_posix(), hashlib.file_digest(file, "sha256").hexdigest()
