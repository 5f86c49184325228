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

import torch
from torch import Tensor

from explorer.core.bounds import CHECKPOINT_BYTES
from explorer.core.errors import BadInput
from explorer.networks.checkpoints import legacy, safe_zip, safetensors_reader
from explorer.networks.checkpoints.class_names import class_names
from explorer.networks.checkpoints.state_dicts import weights_in

TORCH_SUFFIXES = (".pt", ".pth", ".th", ".ckpt", ".bin")
SUFFIXES = (".safetensors", *TORCH_SUFFIXES)
LIMIT = CHECKPOINT_BYTES.most  # bytes


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A network's weights, float32 and finite, under names without wrapper prefixes."""

    name: str  # the file's
    weights: Mapping[str, Tensor]
    metadata: Mapping[str, Any] = field(default_factory=dict)  # the manifest of a safetensors file
    digest: str = ""  # SHA-256 of the file
    classes: tuple[str, ...] = ()  # their names, where the file says any


def read_checkpoint(source: Path | bytes | BinaryIO, name: str | None = None) -> Checkpoint:
    """The weights in a file; its kind is told by the suffix of `name`, by default the path's.

    BadInput, one sentence that starts with the name, for everything that is not a plain set of weights.
    """
    name = name or (source.name if isinstance(source, Path) else "checkpoint.pt")
    try:
        with _opened(source) as stream:
            return _read(stream, name)
    except BadInput as error:
        raise BadInput(f"{name} {error}.") from error.__cause__


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
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        raise BadInput(f"is not a checkpoint by its name, which must end in {', '.join(SUFFIXES)}")
    length = stream.seek(0, os.SEEK_END)
    if not 0 < length <= LIMIT:
        raise BadInput(f"has {length:,} bytes; a checkpoint has 1 to {LIMIT:,}" if length else "is empty")
    stream.seek(0)
    digest = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
    if suffix in TORCH_SUFFIXES:
        saved = _load_torch(stream, length)
        return Checkpoint(name, weights_in(saved), {}, digest, class_names(saved))
    tensors, manifest = safetensors_reader.read(stream, length)
    return Checkpoint(name, weights_in(tensors), manifest, digest)


def _load_torch(stream: IO[bytes], length: int) -> object:
    (safe_zip if safe_zip.is_zip(stream) else legacy).check(stream, length)
    stream.seek(0)
    try:
        return torch.load(stream, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds; all mean that the bytes are not as they should be
        raise BadInput("is truncated or damaged: torch can't read its weights") from error
