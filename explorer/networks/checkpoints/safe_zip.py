"""The zip archive that torch.save writes, checked before torch reads it.

Zip readers may disagree on a crafted file. So the one directory must end exactly where the file's end says, where
every reader looks for it, and may list plain, uncompressed, distinct members only.
"""

from __future__ import annotations

import io
import struct
import zipfile
from typing import IO

from explorer.core.bounds import ARCHIVE_MEMBERS, PICKLE_BYTES
from explorer.core.errors import BadInput
from explorer.networks.checkpoints import foreign
from explorer.networks.checkpoints.pickle_machine import Machine
from explorer.networks.checkpoints.safe_pickle import check_claims, run
from explorer.networks.checkpoints.state_dicts import CheckpointContents, contents_of

MAX_DIRECTORY = 2 << 20  # bytes
END, END64 = 22, 98  # bytes of the end record without a comment, and with its 64-bit forms before it


def is_zip(stream: IO[bytes]) -> bool:
    """Whether the stream starts as a zip archive does."""
    stream.seek(0)
    return stream.read(4) == b"PK\x03\x04"


def read(stream: IO[bytes], length: int) -> CheckpointContents:
    """The contents of the archive. Raises BadInput, with a clause that follows the file's name, if it is damaged."""
    _check_directory(stream, length)
    try:
        with zipfile.ZipFile(stream) as archive:
            return _contents(archive, length)
    except BadInput:
        raise
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError, struct.error) as error:
        raise BadInput("is no plain state dict, or is damaged: its zip archive or pickle can't be followed") from error


def _contents(archive: zipfile.ZipFile, length: int) -> CheckpointContents:
    members = archive.infolist()
    _check_count(members)
    if kind := foreign.archive_of([member.filename for member in members]):
        raise BadInput(kind)
    top = _check_members(members, length)
    if f"{top}/data.pkl" not in archive.namelist():
        raise BadInput("is a zip archive but no torch checkpoint: it has no data.pkl")
    if f"{top}/byteorder" in archive.namelist() and archive.read(f"{top}/byteorder") != b"little":
        raise BadInput("was written on a big-endian machine, and can't be read on this one")
    prefix = f"{top}/data/"
    sizes = {info.filename.removeprefix(prefix): info.file_size for info in members if info.filename.startswith(prefix)}
    machine = Machine(sizes)
    root = run(machine, io.BytesIO(archive.read(f"{top}/data.pkl")))
    check_claims(machine)
    return contents_of(root, lambda storage: archive.read(f"{prefix}{storage.key}"))


def _check_directory(stream: IO[bytes], length: int) -> None:
    stream.seek(max(0, length - END64))
    tail = stream.read().rjust(END64, b"\0")
    end = tail[-END:]
    if end[:4] != b"PK\x05\x06" or end[-2:] != b"\0\0":
        raise BadInput("is truncated or damaged: its zip archive does not end with a directory")
    size, offset = struct.unpack("<LL", end[12:20])
    place = length - END
    if tail[56:60] == b"PK\x06\x07":
        place = length - END64
        size, offset = struct.unpack("<QQ", tail[40:56])
        if tail[:4] != b"PK\x06\x06" or struct.unpack("<Q", tail[64:72]) != (place,):
            raise BadInput("has an inconsistent zip directory")
    if offset + size != place or size > MAX_DIRECTORY:
        raise BadInput("has an inconsistent or oversized zip directory")


def _check_count(members: list[zipfile.ZipInfo]) -> None:
    if not members:
        raise BadInput("is an empty zip archive")
    if len(members) > ARCHIVE_MEMBERS.most:
        raise BadInput(ARCHIVE_MEMBERS.clause(len(members)))


def _check_members(members: list[zipfile.ZipInfo], length: int) -> str:
    """The one folder that holds all members."""
    for member in members:
        _check_member(member)
    names = {member.filename.lower() for member in members}
    if len(names) < len(members):
        raise BadInput("has two zip members of the same name")
    if sum(member.file_size for member in members) > length:
        raise BadInput("has zip members that unpack to more bytes than the file holds")
    tops = {member.filename.partition("/")[0] for member in members}
    if len(tops) > 1:
        raise BadInput("is a zip archive but no torch checkpoint: its members lie in several folders")
    return tops.pop()


def _check_member(member: zipfile.ZipInfo) -> None:
    shown = ascii(member.filename[:80])
    parts = member.filename.split("/")
    if len(parts) < 2 or {"", ".", ".."} & set(parts) or not _is_plain(member):
        raise BadInput(f"has a zip member with an unsafe name ({shown})")
    if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size or member.flag_bits & 1:
        raise BadInput(f"has a compressed zip member ({shown}); torch.save stores its members as they are")
    if parts[1:] == ["data.pkl"] and member.file_size > PICKLE_BYTES.most:
        raise BadInput(PICKLE_BYTES.clause(member.file_size))


def _is_plain(member: zipfile.ZipInfo) -> bool:
    name = member.orig_filename
    return name == member.filename and name.isprintable() and not set(name) & {"\\", ":"}
