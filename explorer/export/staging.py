"""Staging: files are made in a hidden folder beside their place, which goes with its maker, however that ends."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from explorer.core.errors import BadInput
from explorer.core.locks import locked

PREFIX = ".export-"


@contextmanager
def staging(folder: Path) -> Iterator[Path]:
    """A hidden folder inside `folder`, gone afterwards whatever happens; so is `folder` where it was made in vain.

    Its maker holds a lock on it (flock), which the system takes back when the process ends, by kill -9 as well. What
    lies here without a lock is therefore left over, and is cleared away first. Raises BadInput if no file can be made.
    """
    place, made = folder / f"{PREFIX}{uuid4().hex}", not folder.exists()
    with ExitStack() as held:
        try:
            _begin(folder, place, held)
            yield place
        except BadInput as problem:  # people know the folder, not what is hidden in it
            raise BadInput(str(problem).replace(str(place), str(folder))) from problem
        finally:
            shutil.rmtree(place, ignore_errors=True)
            if made:
                with suppress(OSError):  # what was made lies there, or somebody else works there
                    folder.rmdir()


def _begin(folder: Path, place: Path, held: ExitStack) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder, wait=True):  # nobody sees the place before it is locked
            _clear(folder)
            place.mkdir(parents=True)
            held.enter_context(locked(place, wait=True))
    except OSError as error:
        raise BadInput(
            f"{folder} can't be written ({error.strerror or error}): give another folder, or make room in this one."
        ) from error


def remove_unused(folder: Path) -> bool:
    """Delete a folder of exports with all files, unless it is being written; returns whether it is gone."""
    with suppress(OSError), locked(folder, wait=False) as alone:
        if alone and not _clear(folder):
            shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


def clear_left_over(below: Path) -> None:
    """Clear what killed writers have left in the folders two levels below: the exports of each state of each run."""
    for folder in below.glob("*/*"):
        with suppress(OSError), locked(folder, wait=False) as alone:
            if alone:
                _clear(folder)


def _clear(folder: Path) -> list[Path]:
    """Clear away what writers that are no more have left; the staging folders of those that still write."""
    for path in folder.glob(f"{PREFIX}*"):
        with suppress(OSError), locked(path, wait=False) as left_over:
            if left_over:
                shutil.rmtree(path, ignore_errors=True)
    return list(folder.glob(f"{PREFIX}*"))
