"""Checkpoints: trained weights read from files that are hostile until checked. Pickled code is never run."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO

from torch import Tensor

from explorer.core.bounds import CHECKPOINT_BYTES
from explorer.core.errors import BadInput
from explorer.networks.checkpoints import foreign, legacy, safe_zip, safetensors_reader
from explorer.networks.checkpoints.class_names import class_names

HEAD = 512  # bytes that tell a file's kind
LIMIT = CHECKPOINT_BYTES.most  # bytes


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """All tensors of a file, by the path on which they lie, such as "state_dict/conv1.weight"; none is judged yet."""

    name: str  # the file's
    weights: Mapping[str, Tensor]
    metadata: Mapping[str, Any] = field(default_factory=dict)  # the manifest of a safetensors file
    digest: str = ""  # SHA-256 of the file
    classes: tuple[str, ...] = ()  # their names, where the file says any
    others: tuple[str, ...] = ()  # paths of what is no tensor
    networks: tuple[tuple[str, str], ...] = ()  # whole pickled modules, not followed: path and class
    not_dense: tuple[tuple[str, str], ...] = ()  # tensors that are not read: path and a kind of `foreign.NOT_DENSE`


def read_checkpoint(source: Path | bytes | BinaryIO, name: str | None = None) -> Checkpoint:
    """The tensors in a file of any name: its content tells its kind.

    BadInput, one sentence that starts with the name, for everything that holds no plain tensors.
    """
    name = name or (source.name if isinstance(source, Path) else "checkpoint.pt")
    try:
        with _opened(source) as stream:
            return _read(stream, name)
    except BadInput as error:
        raise BadInput(f"{name} {foreign.with_file_name(str(error), name)}.") from error.__cause__


@contextmanager
def _opened(source: Path | bytes | BinaryIO) -> Iterator[IO[bytes]]:
    if isinstance(source, bytes):
        yield io.BytesIO(source)
    elif not isinstance(source, Path):
        yield source
    else:
        if source.exists() and not source.is_file():  # pipes may be waited for without end
            raise BadInput("is no regular file: folders, pipes and devices can't be read as one")
        try:
            stream = source.open("rb")
        except OSError as error:
            raise BadInput(f"can't be opened: {error.strerror}") from error
        with stream:
            yield stream


def _read(stream: IO[bytes], name: str) -> Checkpoint:
    length = stream.seek(0, os.SEEK_END)
    if not 0 < length <= LIMIT:
        raise BadInput(f"has {length:,} bytes; a checkpoint has 1 to {LIMIT:,}" if length else "is empty")
    stream.seek(0)
    digest = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
    stream.seek(0)
    head = stream.read(HEAD)
    if _is_safetensors(head, length, name):
        tensors, manifest = safetensors_reader.read(stream, length)
        return Checkpoint(name, tensors, manifest, digest)
    if clause := foreign.kind_of(head):
        raise BadInput(clause)
    found = (safe_zip if safe_zip.is_zip(stream) else legacy).read(stream, length)
    if found.networks and not found.tensors:
        raise BadInput(foreign.module_of(*found.networks[0]))
    classes = class_names(found.values)
    return Checkpoint(name, found.tensors, {}, digest, classes, found.others, found.networks, found.not_dense)


def _is_safetensors(head: bytes, length: int, name: str) -> bool:
    """By its header; by its name, where the content is not another kind's."""
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= length - 8:
        return True
    return name.lower().endswith(".safetensors") and not head.startswith((b"PK\x03\x04", b"\x80"))
