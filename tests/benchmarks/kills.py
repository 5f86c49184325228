"""50 kills of processes at work, and what was lost: `python tests/benchmarks/kills.py [--browser 16] [--forks 29]`.

Somebody prunes, fine-tunes in turns, names, jumps, deletes and goes back at random: in a real browser at the app as its
command starts it, in forks of a process that has everything imported (the pages without a browser), and with `prune`,
`--command` times. SIGKILL comes at seeded random moments, half of them the first at which a file is being written.
After each, the run must open and hold every state that any page had shown, with its name and figures, and every state
measured anew must give the same metrics to the last bit; then it goes on in the same folder.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from playwright.sync_api import sync_playwright
from sitting import FLAGS, START, Sitting, app

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))

from after_kills import Asked, Event, Measured, Seen, held, lost
from wandering import killed

from explorer.runs.store import WEIGHTS_FILES, read_run

IMAGES, FEWER = 256, 128  # of validation: those of the app, and of forks
PRUNE = ("prune", "demo", "--criterion", "taylor", "--until", "units=0.4", "--step", "20", "--updates", "4", "--out")


@dataclass
class Count:
    """What came of the kills."""

    kills: int = 0
    asked: int = 0
    seen: int = 0
    states: int = 0
    under_way: int = 0  # kills at which something was asked and not seen done
    writing: int = 0  # kills that left a half-written file
    unnamed: int = 0  # kills that left weights that no state names
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.kills} kills: {self.asked} actions asked for, {self.seen} pages seen, {self.states} states "
            f"measured anew; something under way at {self.under_way}, a half-written file left by {self.writing}, "
            f"weights without a state by {self.unnamed}; problems: {len(self.problems)}"
        )

    def take(self, folder: Path, known: list[Event], events: Sequence[Event], measured: Measured) -> list[Event]:
        """Look at a run after a kill; what it holds now."""
        self.kills += 1
        self.asked += sum(isinstance(event, Asked) for event in events)
        self.seen += sum(isinstance(event, Seen) for event in events)
        self.under_way += bool(events) and isinstance(events[-1], Asked)
        timeline = read_run(folder).timeline
        assert timeline
        self.states += len(timeline.states)
        self.writing += any(folder.glob(".*.tmp"))
        named = {state.weights for state in timeline.states.values()}
        self.unnamed += any(path.name not in named for path in folder.glob(WEIGHTS_FILES))
        for left in folder.glob(".*.tmp"):
            left.rename(folder / f"counted-{self.kills}{left.name}")
        differing = measured.differing(timeline, folder)
        wrong = [*lost(timeline, [*known, *events]), *(f"state {n} gives other metrics" for n in differing)]
        self.problems += [f"kill {self.kills}, {folder.name}: {sentence}" for sentence in wrong]
        return held(timeline)


def forks(work: Path, count: int, measured: Measured) -> Count:
    """Pages without a browser; a new run after every tenth kill."""
    total, known = Count(), list[Event]()
    for seed in range(count):
        known = [] if seed % 10 == 0 else known
        run = f"forked-run-{seed // 10}"
        events = killed(work, run, seed, images=FEWER, longest=4)
        known = total.take(work / "runs" / run, known, events, measured)
        print(f"fork {seed + 1}: {_tail(events)}; problems {len(total.problems)}", flush=True)
    return total


def _tail(events: Sequence[Event]) -> str:
    last = events[-1]
    return f"{len(events)} events, last {f'asked for {last.what}' if isinstance(last, Asked) else f'saw {last.number}'}"


def in_browser(work: Path, count: int, measured: Measured) -> Count:
    """A real browser at the real app; a new run after every sixth kill."""
    total, known = Count(), list[Event]()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        for seed in range(count):
            known = [] if seed % 6 == 0 else known
            run = f"browser-run-{seed // 6}"
            with app(work) as (process, address):
                sitting = Sitting(work / "runs" / run, process, random.Random(seed), writing=seed % 2 == 1)
                events = sitting.events(browser, address)
            known = total.take(work / "runs" / run, known, events, measured)
            print(f"browser {seed + 1}: {_tail(events)}; problems {len(total.problems)}", flush=True)
    return total


def command(work: Path, count: int, measured: Measured) -> Count:
    """`prune` is killed, goes on with --resume, and is killed again; at last it must end as if nothing had been."""
    total, chance = Count(), random.Random(0)
    out, whole = work / "killed", work / "whole"
    program = [sys.executable, "-c", START, *PRUNE]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    known: list[Event] = []
    for _ in range(count):
        states = len(read_run(out).timeline.states) if out.exists() else 0
        process = subprocess.Popen([*program, str(out), "--resume"], env=environment, stderr=subprocess.DEVNULL)
        while not (out / "run.json").is_file() or len(read_run(out).timeline.states) <= states:
            assert process.poll() is None, "it ended before it could be killed"
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 1.5))
        process.kill()
        process.wait()
        known = total.take(out, known, [], measured)
        print(f"prune {total.kills}: {len(known)} states", flush=True)
    for folder in (out, whole):
        subprocess.run([*program, str(folder), "--resume"], env=environment, check=True, capture_output=True)
    for path in out.glob("counted-*"):
        path.unlink()
    if _content(out) != _content(whole):
        total.problems.append("prune ended with other files than without kills")
    return total


def _content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def main() -> None:
    """Print the counts of each kind of kill."""
    options = argparse.ArgumentParser(description=__doc__)
    for name, count in {"browser": 16, "forks": 29, "command": 5}.items():
        options.add_argument(f"--{name}", type=int, default=count, metavar="KILLS")
    chosen = options.parse_args()
    torch.set_num_threads(1)  # as the processes: another number adds in another order
    for name, kill in {"browser": in_browser, "forks": forks, "command": command}.items():
        measured = Measured(FEWER if name == "forks" else IMAGES)
        with tempfile.TemporaryDirectory() as work:
            total = kill(Path(work), getattr(chosen, name), measured)
        print(f"{name}: {total}", *total.problems, sep="\n  ", flush=True)


if __name__ == "__main__":
    main()
