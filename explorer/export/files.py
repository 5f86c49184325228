"""Writing whole files or nothing."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

from explorer.errors import BadInput


def write_whole(path: Path, content: bytes) -> Path:
    """Write a file through a temporary neighbour, so that nobody ever sees half of it; folders are made.

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
        raise BadInput(f"{path} cannot be written: {error.strerror or error}.") from error
    return path


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
