"""Run folders of the command line: whether one can be taken, and what is told of a run that it holds."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from explorer.cli.output import check_writable, tell
from explorer.core.errors import BadInput
from explorer.networks.load import RUN_NETWORK
from explorer.runs.run_folders import held_run
from explorer.runs.store import FILE, WEIGHTS_FILES, Run

IN_USE = "wait for it to end, or give another --out"


def check_out(out: Path, resume: bool) -> None:
    """Raise BadInput, before any work, where the folder can't take a run, or holds what a run would replace."""
    check_writable(out, "--out", folder=True)
    held = [path.name for name in (FILE, RUN_NETWORK, WEIGHTS_FILES) for path in sorted(out.glob(name))]
    if FILE in held and not resume:
        raise BadInput(f"--out {out} already holds a {FILE}: give another folder, or --resume to go on with that run.")
    if held and FILE not in held:
        raise BadInput(f"--out {out} already holds a {held[0]}, but no {FILE}: give another folder.")


def held_in(out: Path, asked: Run) -> Run | None:
    """The run that a folder holds, if any, after saying so of a finished one; BadInput for another one."""
    held = held_run(out, asked)
    if held and held.finished:
        tell(f"{out} already holds this run, finished: nothing was done.")
    return held


def tell_going_on(out: Path, held: Run | None, unit: str) -> None:
    """Say from which of its steps, or epochs, an unfinished run goes on."""
    if held:
        tell(f"{out} holds this run up to {unit} {held.states.current}: going on from there.")


@contextmanager
def stoppable(out: Path, holds: str) -> Iterator[None]:
    """End with one line about what the folder holds where the work is stopped from the keyboard."""
    try:
        yield
    except KeyboardInterrupt:
        if not (out / FILE).is_file():
            raise
        tell(f"Stopped; {out} holds {holds}.")
        sys.exit(1)
