"""The jobs of a run: which of them works on it now, and which changes have to wait meanwhile."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from explorer.core.errors import Outdated
from explorer.core.text import markdown
from explorer.jobs.job import Job
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.visitors import own_key

STEP, TURNS, PLAY, SCRATCH, EXPORT, SPEED, SHARE = "step", "turns", "play", "scratch", "export", "speed", "share"
ADDING = {STEP: "cancel", TURNS: "pause or cancel", PLAY: "cancel"}  # those that add states; how others go first
OF_A_STATE = (EXPORT, SPEED)


def key_of(kind: str, run: str, number: int | None = None) -> str:
    """The key of a run's job, or of one of its states."""
    return own_key(f"{kind}-{run}" if number is None else f"{kind}-{run}-{number}")


def why_busy(run: str) -> str:
    """Why the run can't be changed by others now, in a sentence; "" if it can.

    A paused job lets others go first: it goes on from its own state, wherever the run is by then.
    """
    for kind, how in ADDING.items():
        if (job := JOBS.find(key_of(kind, run))) and job.active and not job.paused:
            return f"“{job.label}” is working on this run: {how} it first."
    return ""


def why_needed(run: str, numbers: Collection[int]) -> str:
    """Why these states of the run, or all of it, can't be deleted now, in a sentence; "" where they can."""
    of_run = [key_of(kind, run) for kind in (*ADDING, SCRATCH, SHARE)]
    of_states = [key_of(kind, run, number) for kind in OF_A_STATE for number in numbers]
    for key in (*of_run, *of_states):
        if (job := JOBS.find(key)) and job.active:
            return f"“{job.label}” may still need it: let it end, or cancel it first."
    return ""


def check(reason: str) -> None:
    """Outdated with the reason, where there is one: a button that was drawn since would be disabled."""
    if reason:
        raise Outdated(reason)


def button_state(reason: str, *, disabled: bool = False, help: str | None = None) -> dict[str, Any]:
    """For a button: disabled, with the reason as its help, where there is one; else as it would be."""
    return {"disabled": disabled or bool(reason), "help": markdown(reason) or help}


def latest_job(run: str, kind: str) -> Job | None:
    """The latest job of this kind of a run."""
    return JOBS.find(key_of(kind, run))
