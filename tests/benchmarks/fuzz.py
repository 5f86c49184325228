"""Good files, changed at random, and what reads them: `python tests/benchmarks/fuzz.py --seconds 3600 --seed 1`.

Exports, run folders, plans, races and checkpoints get values and bytes that readers trip over, each change from a seed
of its own (`--seed 1 --only 42` makes one again). Each must be refused with one sentence or opened; what opens as a
network is pruned and written as source, whose tree is walked and never run. Nothing may run code, start a process,
write outside of the work folder or take much memory. Ends with 1 where anything did; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))

from fuzzing import SUBJECTS, Subject
from watching import Watch

from explorer.core.errors import BadInput

LONGEST = 600  # characters of a refusal
SLOWEST = 30.0  # seconds
DECOY = "raise SystemExit('PWNED: a module was imported because a file named it')\n"


@dataclass
class Tally:
    """What became of the changes so far."""

    results: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")


def run(subject: Subject, name: str, seed: str, folder: Path, watch: Watch, tally: Tally) -> None:
    """One change: made, read, judged."""
    dice, started = random.Random(seed), time.perf_counter()
    data = subject.change(dice)
    watch.on = True
    try:
        outcome = _outcome(subject, data, folder)
    except BaseException as error:  # SystemExit too: whatever a file can raise is a fault
        outcome = f"raised {type(error).__name__}: {error}\n{traceback.format_exc()}"
    finally:
        watch.on = False
    tally.slowest = max(tally.slowest, (time.perf_counter() - started, f"{name} {seed}"))
    broken = [*watch.taken(), *(["decoy imported"] if "decoy" in sys.modules else [])]
    if broken or outcome not in ("opened", "refused"):
        tally.failures.append(f"{name}, seed {seed}: {' '.join(broken)} {outcome}")
    tally.results[f"{name} {outcome.partition(' ')[0]}"] += 1


def _outcome(subject: Subject, data: bytes, folder: Path) -> str:
    try:
        subject.open(data, folder)
    except BadInput as error:
        said = str(error)
        good = len(said) <= LONGEST and len(said.splitlines()) == 1 and said.endswith((".", "?"))
        return "refused" if good else f"said {said!r}"
    return "opened"


def changes(seed: int, only: int | None) -> Iterator[tuple[str, Subject, str]]:
    """Subjects by weight, each with the seed of its change."""
    names = [name for name, subject in SUBJECTS.items() for _ in range(subject.weight)]
    for number in count() if only is None else [only]:
        name = names[number % len(names)]
        yield name, SUBJECTS[name], f"{seed}:{number}"


def main() -> int:
    """Run as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--changes", type=int, default=sys.maxsize)
    parser.add_argument("--only", type=int)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    tally, started = Tally(), time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "decoy.py").write_text(DECOY)
        sys.path.append(name)
        watch, before = Watch(folder), 0
        for number, (subject_name, subject, seed) in enumerate(changes(asked.seed, asked.only)):
            if number >= asked.changes or time.perf_counter() - started > asked.seconds:
                break
            before = before or (_peak() if number == 100 else 0)
            run(subject, subject_name, seed, folder, watch, tally)
    return _told(tally, time.perf_counter() - started, _peak() - (before or _peak()))


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _told(tally: Tally, seconds: float, grown: int) -> int:
    for failure in tally.failures:
        print(failure, file=sys.stderr)
    made = sum(tally.results.values())
    slow = tally.slowest[0] > SLOWEST
    counts = {"changes": made, "per_second": round(made / seconds, 1), "results": dict(sorted(tally.results.items()))}
    bounds = {"slowest": tally.slowest, "grown_mb": grown, "failures": len(tally.failures)}
    print(json.dumps({**counts, **bounds}))
    return int(bool(tally.failures) or slow)


if __name__ == "__main__":
    sys.exit(main())
