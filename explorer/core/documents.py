"""Kept documents: JSON objects with their format and the SHA-256 of their content, and the files beside them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.core.errors import BadInput
from explorer.core.files import read_regular, write_whole

DIGEST = "digest"
ENTRIES = ("states", "files")  # fields whose keys are data: keys that this version leaves out are deleted
MEASURED = ("settings", "metrics", "pruned", "scratch")  # fields that are replaced as a whole
LARGEST = 256 * 1024**2  # bytes of a document that is read
CHANGED = "it is not what was written (its SHA-256 differs)"
RESTORE = "put back a copy of it, or begin anew in another folder"


@dataclass(frozen=True)
class DocumentFormat:
    """A format of documents. Its number grows when older versions can't read it; fields may be added without that."""

    name: str
    number: int
    without_digest: tuple[int, ...] = ()  # numbers of older versions, which are still read
    unnamed: bool = False  # whether version 1 does not name its format
    remedy: str = RESTORE  # what to do if a document is damaged

    def __str__(self) -> str:
        return f"{self.name} {self.number}"


def write_document(path: Path, form: DocumentFormat, content: Mapping[str, Any]) -> Path:
    """Write an object with its format and digest, whole or not at all.

    Fields that a newer version has added to the file that is replaced stay. Raises BadInput if it can't be written.
    """
    plain = json.loads(json.dumps({"format": str(form), **content}))
    whole = _with_unknown(plain, _there(path))
    return write_whole(path, json.dumps({**whole, DIGEST: digest_of(whole)}, indent=1).encode())


def read_document(path: Path, form: DocumentFormat, missing: str) -> dict[str, Any]:
    """The object in a file, checked against its SHA-256.

    Raises BadInput with the sentence `missing` if there is no file, and with another if it is damaged, edited or of
    another format.
    """
    content: dict[str, Any] = _parsed(path, form, missing)
    number = _number(path, content, form)
    if number == form.number and content.pop(DIGEST, None) != digest_of(content):
        raise damaged(path, CHANGED, form.remedy)
    return content


def is_older(content: Mapping[str, Any], form: DocumentFormat) -> bool:
    """Whether a document was written by a version that kept no digests."""
    return content.get("format") != str(form)


def digest_of(content: Mapping[str, Any]) -> str:
    """The SHA-256 of an object's content, independent of its layout in the file."""
    return sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())


def read_whole(path: Path) -> bytes:
    """The bytes of a file kept by an older version, without a recorded SHA-256.

    Raises BadInput if it is gone.
    """
    return _read(path, f"{path} is missing: {RESTORE}.")


def read_checked(path: Path, digest: str | None) -> bytes:
    """The bytes of a kept file; raises BadInput if it is gone, or they don't have this SHA-256."""
    content = read_whole(path)
    if digest is None:
        raise damaged(path, "nothing says what its SHA-256 must be")
    if sha256(content) != digest:
        raise damaged(path, CHANGED)
    return content


def sha256(content: bytes) -> str:
    """The SHA-256 of bytes, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def damaged(path: Path, why: str, remedy: str = RESTORE) -> BadInput:
    """A sentence on a kept file that can't be used."""
    return BadInput(f"{path} is damaged: {why}; {remedy}.")


def _read(path: Path, missing: str, most: int | None = None) -> bytes:
    try:
        return read_regular(path, most)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise BadInput(missing) from error
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror or error}.") from error


def _parsed(path: Path, form: DocumentFormat, missing: str) -> Any:
    content = _read(path, missing, LARGEST)
    try:
        return json.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise damaged(path, "it is not JSON", form.remedy) from error


def _number(path: Path, content: Any, form: DocumentFormat) -> int:
    """The number of a document's format; raises BadInput if this version can't read it."""
    if form.unnamed and isinstance(content, dict) and "format" not in content:
        return 1
    found = content.get("format") if isinstance(content, dict) else None
    name, _, number = found.rpartition(" ") if isinstance(found, str) else ("", "", "")
    if name != form.name or not (number.isascii() and number.isdecimal()):
        raise damaged(path, f"it is not in the format {str(form)!r}", form.remedy)
    if int(number) > form.number:
        raise BadInput(
            f"{path} was written by a newer version ({found!r}; this one reads {str(form)!r}): update first."
        )
    if int(number) not in (form.number, *form.without_digest):
        raise damaged(path, f"there is no format {found!r}", form.remedy)
    return int(number)


def _there(path: Path) -> Any:
    """The document in a file that is about to be replaced, if it can be read."""
    try:
        found = json.loads(read_regular(path, LARGEST).decode())
    except (OSError, ValueError, RecursionError, BadInput):
        return {}
    return {name: value for name, value in found.items() if name != DIGEST} if isinstance(found, dict) else {}


def _with_unknown(new: Any, old: Any, name: str = "") -> Any:
    """`new` with the fields that only `old` has, at every level: a newer version's."""
    if not (isinstance(new, dict) and isinstance(old, dict)):
        return new
    if name in MEASURED and not _says(old, new):
        return new
    merged = {key: _with_unknown(value, old.get(key), key) for key, value in new.items()}
    return merged if name in ENTRIES else {**merged, **{key: old[key] for key in old if key not in new}}


def _says(old: Any, new: Any) -> bool:
    """Whether `old` says all that `new` says."""
    if isinstance(new, dict) and isinstance(old, dict):
        return all(key in old and _says(old[key], value) for key, value in new.items())
    return bool(old == new)
