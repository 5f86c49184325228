"""Run folders of the command line: whether one can be taken, and what is told of a run that it holds."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from explorer.cli.output import check_writable, tell
from explorer.core.errors import BadInput
from explorer.networks.load import RUN_NETWORK
from explorer.runs.store import FILE, WEIGHTS_FILES, Run, holds_run

OTHER_RUN = "give another --out"
IN_USE = "wait for it to end, or give another --out"


def check_out(out: Path, resume: bool) -> None:
    """Raise BadInput, before any work, where the folder can't take a run, or holds what a run would replace."""
    check_writable(out, "--out", folder=True)
    held = [path.name for name in (FILE, RUN_NETWORK, WEIGHTS_FILES) for path in sorted(out.glob(name))]
    if FILE in held and not resume:
        raise BadInput(f"--out {out} already holds a {FILE}: give another folder, or --resume to go on with that run.")
    if held and FILE not in held:
        raise BadInput(f"--out {out} already holds a {held[0]}, but no {FILE}: give another folder.")


def run_to_end(out: Path, runs: Iterator[Run], unit: str) -> Run:
    """The run at its end; of one that the folder holds already, say from which of its steps, or epochs, it goes on."""
    held = holds_run(out)
    run = next(runs)
    if held and run.finished:
        tell(f"{out} already holds this run, finished: nothing was done.")
    elif held:
        tell(f"{out} holds this run up to {unit} {run.states.current}: going on from there.")
    return [run, *runs][-1]


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
