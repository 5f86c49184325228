"""The runs of a work folder, for a list in which a person finds one again."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from explorer.core.errors import BadInput
from explorer.runs.store import FILE, Run, holds_run, read_run
from explorer.runs.timeline import path

MOST = 200  # runs that a list shows: those that were changed last


@dataclass(frozen=True)
class ListedRun:
    """One run of a list."""

    id: str
    changed: float  # Unix seconds
    network: str = ""  # its name
    states: int = 0
    units: int | None = None  # left at its current state; None where no state is measured yet
    accuracies: tuple[float, ...] = ()  # 0 to 1, on the way to its current state; none where there were no images
    name: str = ""  # given by the user
    numbers: tuple[int, ...] = ()  # of its states
    problem: str = ""  # the sentence that says why it can't be opened


def listed_runs(folder: Path) -> list[ListedRun]:
    """The runs whose folders lie in this one, the one that was changed last first; at most MOST of them."""
    files = newest_first(each / FILE for each in folder.glob("*") if holds_run(each))
    return [_listed(file.parent, changed, size) for file, changed, size in files[:MOST]]


def newest_first(paths: Iterable[Path]) -> list[tuple[Path, int, int]]:
    """(path, when it was changed in ns, bytes) of those that are there, the one that was changed last first."""
    found = []
    for each in paths:
        with suppress(FileNotFoundError):  # deleted meanwhile
            status = each.stat()
            found.append((each, status.st_mtime_ns, status.st_size))
    return sorted(found, key=lambda one: one[1], reverse=True)


@lru_cache(maxsize=2 * MOST)
def _listed(folder: Path, changed: int, _size: int) -> ListedRun:
    """A run as it was when its file, of so many bytes, was changed: read once, however often it is listed."""
    seconds = changed / 1e9
    try:
        run = read_run(folder)
    except BadInput as problem:
        return ListedRun(folder.name, seconds, problem=str(problem))
    numbers = tuple(run.timeline.states) if run.timeline else ()
    return ListedRun(folder.name, seconds, str(run.network.get("name", "")), *_states(run), run.name, numbers)


def _states(run: Run) -> tuple[int, int | None, tuple[float, ...]]:
    if run.timeline is None:
        return 0, None, ()
    measured = [run.timeline.states[number].metrics for number in path(run.timeline)]
    found = [each.accuracy for each in measured if each.accuracy is not None]
    return len(run.timeline.states), measured[-1].units, tuple(found)
