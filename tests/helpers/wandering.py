"""Somebody who prunes, fine-tunes, names, deletes and goes back and forth at random, until their process is killed."""

from __future__ import annotations

import logging
import os
import random
import re
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
from after_kills import Asked, Event, await_writing, deletion, seen
from forking import forked
from of_demo import UNITS

from explorer.runs.store import FILE

WHERE = re.compile(r"state \d+ of \d+: [^<]*")
PATIENCE = 60.0  # seconds


@dataclass(frozen=True)
class Desk:
    """A tab on a run, and whom to tell what is done in it."""

    app: Any  # ui.driving.App
    folder: Path
    chance: random.Random
    say: Connection

    @property
    def number(self) -> int:
        """The state that the tab is at."""
        found = WHERE.search(self.app.bar)
        assert found, self.app.bar
        return seen(found[0], ()).number


def wander(workdir: Path, run: str, seed: int, images: int, say: Connection) -> None:
    """Work on a run in the pages, without a browser, for ever."""
    os.environ["PRUNING_EXPLORER_WORKDIR"] = str(workdir)
    logging.disable(logging.WARNING)  # Streamlit misses its server
    torch.set_num_threads(1)
    from explorer.ui.work import workspace  # only here: it starts threads, which no fork takes along

    workspace.CALIBRATION, workspace.VALIDATION = 64, images
    from driving import App

    desk = Desk(App.opened("prune", run=run), workdir / "runs" / run, random.Random(seed), say)
    if not (desk.folder / FILE).is_file():
        desk.app.click("Remove 1")
    while True:
        assert not desk.app.test.exception, desk.app.test.exception
        found = WHERE.search(desk.app.bar)
        assert found, desk.app.bar
        say.send(seen(found[0], list(desk.app.facts.values())))
        ACTS[desk.chance.choice(list(ACTS))](desk)


def killed(workdir: Path, run: str, seed: int, *, images: int, longest: float) -> list[Event]:
    """All that was asked and seen by somebody whose process was killed, at most `longest` seconds after the start.

    Of odd seeds at the first moment from then at which a file of the run is being written.
    """
    chance = random.Random(seed)
    heard, say = Pipe(duplex=False)
    process = forked(wander, workdir, run, seed, images, say)
    say.close()
    assert heard.poll(PATIENCE), "nothing was ever shown"
    time.sleep(chance.uniform(0, longest))
    if seed % 2:
        await_writing(workdir / "runs" / run)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL, "it ended by itself"
    return list(_received(heard))


def _received(heard: Connection):
    while True:
        try:
            yield heard.recv()
        except EOFError:
            return


def _press(label: str) -> Callable[[Desk], None]:
    def act(desk: Desk) -> None:
        if desk.app.buttons.get(label):
            desk.say.send(Asked(label, desk.number))
            desk.app.click(label)

    return act


def _rename(desk: Desk) -> None:
    label = f"Name of state {desk.number}"
    if label not in [box.label for box in desk.app.test.text_input]:  # the page is still waiting for something
        return
    desk.say.send(Asked("rename", desk.number))
    desk.app.set(label, f"name {desk.chance.randrange(1000)}")


def _delete(desk: Desk) -> None:
    offered = any(label.startswith("Delete it") and enabled for label, enabled in desk.app.buttons.items())
    if offered and desk.chance.random() < 0.5:
        desk.say.send(deletion(desk.folder, desk.number))
        desk.app.click("Delete it")


def _turns(desk: Desk) -> None:
    if not desk.app.buttons.get("Prune and fine-tune"):
        return
    left = 100 * int(desk.app.facts["Units"]) / UNITS
    for label, value in {"Units per step": 15, "Updates per step": 2, "Down to, %": max(20, int(0.8 * left))}.items():
        desk.app.set(label, value)
    desk.say.send(Asked("turns", desk.number))
    desk.app.click("Prune and fine-tune")


def _look(desk: Desk) -> None:
    desk.app.again()


LABELS = ("Remove 1", "Remove 10", "Undo", "Redo", "Back 2")
ACTS = {**{label: _press(label) for label in LABELS}, "name": _rename, "delete": _delete, "turn": _turns, "look": _look}
