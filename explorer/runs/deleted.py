"""Deleted runs: moved aside inside their work folder, from where the last few of them come back."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from explorer.core.errors import BadInput
from explorer.core.locks import sole_writer
from explorer.runs.listing import ListedRun, listed_runs, newest_first
from explorer.runs.store import FILE, holds_run

KEPT = 10  # deleted runs that can come back: those that were deleted last
RUNS, DELETED = "runs", "deleted"  # folders of a work folder


def delete_run(work: Path, run: str) -> None:
    """Move a run aside, in one rename; the one that was deleted first is gone where there are more than KEPT.

    Raises BadInput if there is no such run, or another process writes in it.
    """
    folder, aside = work / RUNS / run, work / DELETED / run
    if not holds_run(folder):
        raise BadInput(f"The run {run} is no longer here: it was deleted meanwhile.")
    with sole_writer(folder, "let it end first"):
        pass
    try:
        aside.parent.mkdir(exist_ok=True)
        _drop(aside)  # a run of the same id that was deleted before
        os.utime(folder)  # the time of the deletion
        folder.rename(aside)
    except OSError as error:
        raise BadInput(f"The run {run} can't be moved aside ({error.strerror or error}): it stays.") from error
    for old in _aside(work)[KEPT:]:
        _drop(old)


def restore_run(work: Path, run: str) -> None:
    """Move a deleted run back, as it was. Raises BadInput if it is gone, or one of its id has begun since."""
    folder, aside = work / RUNS / run, work / DELETED / run
    if not holds_run(aside):
        raise BadInput(f"The run {run} is gone: only the last {KEPT} that were deleted are kept.")
    if holds_run(folder):
        raise BadInput(f"A run {run} has begun since: delete that one, and what was deleted before is gone.")
    with suppress(OSError):  # an empty folder of a moment's lock
        folder.rmdir()
    try:
        folder.parent.mkdir(exist_ok=True)
        aside.rename(folder)
    except OSError as error:
        raise BadInput(f"The run {run} can't be moved back ({error.strerror or error}).") from error


def deleted_runs(work: Path) -> list[ListedRun]:
    """The runs that can come back, the one that was deleted last first."""
    order = {folder.name: place for place, folder in enumerate(_aside(work))}
    return sorted(listed_runs(work / DELETED), key=lambda each: order.get(each.id, len(order)))


def is_deleted(work: Path, run: str) -> bool:
    """Whether a run was deleted, and can come back."""
    return holds_run(work / DELETED / run)


def drop_deleted(work: Path) -> None:
    """Delete for good what was deleted."""
    for folder in _aside(work):
        _drop(folder)


def _aside(work: Path) -> list[Path]:
    """The folders of deleted runs, the one that was deleted last first."""
    return [folder for folder, _, _ in newest_first((work / DELETED).glob("*"))]


def _drop(folder: Path) -> None:
    """Delete a folder, the run's document first: what a process that is killed leaves is no run."""
    (folder / FILE).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
