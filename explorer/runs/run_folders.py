"""Run folders of long work: the settings that decide a run, and the run that a folder holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from explorer.core.errors import BadInput
from explorer.core.locks import in_turn
from explorer.data import Splits
from explorer.networks.demos import DEMOS
from explorer.networks.network import Network
from explorer.runs.store import BATCH, INTERACTIVE, Run, holds_run, read_run, write_run
from explorer.runs.timeline import Timeline, checked_name


def described(
    network: Network, splits: Splits, settings: Mapping[str, Any], *, network_from: str, images_from: str | None
) -> Run:
    """The run before its first step: all that decides what becomes of it. images_from: None without images."""
    images = splits["validation"].images if splits else None
    return Run(
        network={
            "source": _whole_path(network_from),
            "name": network.name,
            "arch": network.arch,
            "digest": network.digest,
            **{name: value for name, value in network.preprocessing.to_json().items() if value is not None},
        },
        data={
            "source": images_from and _whole_path(images_from),
            "seed": images.seed if images else settings.get("seed", 0),
            "digest": images.digest if images else None,
            "splits": {name: len(batches) for name, batches in splits.items()},
        },
        settings=json.loads(json.dumps(settings)),  # as a file says it: lists for tuples
        kind=BATCH,
    )


def _whole_path(where: str) -> str:
    path = Path(where).expanduser()
    return str(path.resolve()) if where not in DEMOS and path.exists() else where


def change_run(folder: Path, act: Callable[[Run | None], Run]) -> Run:
    """Replace what a run folder says by act(that), on disk; None stands for a folder that holds no run yet.

    All that others have written is in it: one at a time changes a run, in this process or another.
    """
    with in_turn(folder):
        return change_own_run(folder, act)


def change_own_run(folder: Path, act: Callable[[Run | None], Run]) -> Run:
    """The same for the only writer: `explorer.core.locks.sole_writer` has the folder, or its turn has come."""
    run = act(read_run(folder) if holds_run(folder) else None)
    write_run(folder, run)
    return run


Change = Callable[[Path, Callable[[Run | None], Run]], Run]  # change_run or change_own_run


def grow(folder: Path, run: Run, act: Callable[[Timeline], Timeline], change: Change = change_run) -> Run:
    """Replace the timeline by act(that), on disk; the run keeps its name. run: all else, and the timeline of a folder
    that has none yet.
    """

    def grown(held: Run | None) -> Run:
        states = held.timeline if held and held.timeline else run.states
        return replace(run, timeline=act(states), name=held.name if held else run.name)

    return change(folder, grown)


def name_run(folder: Path, name: str) -> Run:
    """Call the run of a folder by this name; none takes it away. Raises BadInput if it can't be called so, or is
    gone.
    """
    wanted = checked_name(name)
    if not holds_run(folder):
        raise BadInput(f"The run {folder.name} is no longer here: it was deleted meanwhile.")

    def named(held: Run | None) -> Run:
        assert held is not None, "there was a run"
        return replace(held, name=wanted)

    return change_run(folder, named)


def held_run(folder: Path, asked: Run, remedy: str) -> Run | None:
    """The run that a folder holds, finished or not, if any; raises BadInput if it is not the one asked for."""
    if not holds_run(folder):
        return None
    run = read_run(folder)
    if run.kind == INTERACTIVE:
        raise BadInput(f"{folder} holds a run of the app, which only the app goes on with: {remedy}.")
    held = _facts(run)
    for name, value in _facts(asked).items():
        if held.get(name) != value:
            raise BadInput(f"{folder} holds a run with {name} {held.get(name)}, not {value}: {remedy}.")
    if run.timeline is None:
        raise BadInput(f"{folder} holds a run without any measured state: {remedy}.")
    return run


def _facts(run: Run) -> dict[str, object]:
    parts = {"network": run.network.get("digest"), "data": run.data.get("digest"), "images": run.data.get("splits")}
    return {**parts, **run.settings}
