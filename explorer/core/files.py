"""Writing whole files or nothing, and reading regular ones."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from uuid import uuid4

from explorer.core.errors import BadInput


def write_whole(path: Path, content: bytes) -> Path:
    """Write a file through a temporary neighbour, so that half of it is never seen; folders are made.

    Raises BadInput if the folder cannot be written or the disk is full; then nothing is left behind.
    """
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            _write(temporary, content)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise BadInput(
            f"{path} can't be written ({error.strerror or error}): give another place, or make room in this one."
        ) from error
    return path


def read_regular(path: Path, most: int | None = None) -> bytes:
    """The bytes of a regular file, of at most so many.

    Raises OSError where it can't be read, and BadInput for anything else of this name: a link may lead out of its
    folder, and a pipe would be waited for.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    if not stat.S_ISREG(path.lstat().st_mode):
        raise BadInput(f"{path} is no regular file: put that itself here, not a folder, a link or a pipe.")
    with os.fdopen(os.open(path, flags | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
        if most is not None and os.fstat(file.fileno()).st_size > most:
            raise BadInput(f"{path} is too large: at most {most:,} bytes can be read.")
        return file.read()


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
