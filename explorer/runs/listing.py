"""The runs of a work folder, for a list in which a person finds one again."""

from __future__ import annotations

from dataclasses import dataclass
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
    problem: str = ""  # the sentence that says why it can't be opened


def listed_runs(folder: Path) -> list[ListedRun]:
    """The runs whose folders lie in this one, the one that was changed last first; at most MOST of them."""
    files = ((each, (each / FILE)) for each in folder.glob("*") if holds_run(each))
    dated = sorted(((file.stat().st_mtime, each) for each, file in files), reverse=True)
    return [_listed(each, changed) for changed, each in dated[:MOST]]


def _listed(folder: Path, changed: float) -> ListedRun:
    try:
        run = read_run(folder)
    except BadInput as problem:
        return ListedRun(folder.name, changed, problem=str(problem))
    return ListedRun(folder.name, changed, str(run.network.get("name", "")), *_states(run))


def _states(run: Run) -> tuple[int, int | None, tuple[float, ...]]:
    if run.timeline is None:
        return 0, None, ()
    measured = [run.timeline.states[number].metrics for number in path(run.timeline)]
    found = [each.accuracy for each in measured if each.accuracy is not None]
    return len(run.timeline.states), measured[-1].units, tuple(found)
