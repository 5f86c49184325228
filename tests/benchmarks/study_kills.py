"""A study killed again and again, against one that ran through: `python tests/benchmarks/study_kills.py [--kills 8]`.

The command `study` runs once without a stop, and once in another folder, where SIGKILL comes at seeded random moments,
every other one when next a file is being written, and --resume goes on each time. Both study.json must have every value
in common, the lanes of their races too; only what is measured in time may differ, which stands under "measured":
seconds of a part, latencies, and the findings that rest on these. A lane or part that was under way is made again, so
its seconds are those of its last attempt. Both run on one thread, for sums on more may add up in another order.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sitting import START

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))

from after_kills import await_writing

from explorer.study import PARTS, PRESETS, read_study
from explorer.study.folders import WHOLE, holds_study

PROGRAM = (sys.executable, "-c", START, "study")
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}
PATIENCE = 60.0  # seconds, for a file to be written


def through(words: list[str], folder: Path) -> float:
    """Run the study to its end, from where its folder is; the seconds that this took."""
    started = time.monotonic()
    command = [*PROGRAM, *words, "--out", str(folder), "--resume"]
    subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True)
    return time.monotonic() - started


def killed(words: list[str], folder: Path, seconds: float, writing: bool) -> bool:
    """Run the study for so long, or till then and the next file, and kill it; False where it ended by itself."""
    command = [*PROGRAM, *words, "--out", str(folder), "--resume"]
    process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    if writing:
        await_writing(folder, PATIENCE)
    process.kill()
    return process.wait() < 0


def reached(folder: Path) -> str:
    """What a folder holds after a kill."""
    if not holds_study(folder):
        return "nothing yet"
    parts, lanes, left = read_study(folder).parts, list(folder.glob("*/lane-*.json")), list(folder.rglob(".*.tmp"))
    for path in left:
        path.rename(path.with_suffix(".left"))  # not to be taken for a file that is being written
    done = f"{len(parts)} of {len(PARTS)} parts ({', '.join(parts)}), {len(lanes)} lanes"
    return f"{done}, {len(left)} half-written files"


def differing(one: Any, other: Any, path: str = "") -> Iterator[str]:
    """Dotted paths at which two JSON values are not the same."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for name in one:
            yield from differing(one[name], other[name], f"{path}.{name}".lstrip("."))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, pair in enumerate(zip(one, other, strict=True)):
            yield from differing(*pair, f"{path}.{place}")
    elif one != other:
        yield path


def contents(folder: Path) -> dict[str, Any]:
    """The study as a whole, and every lane of its races."""
    paths = [folder / WHOLE, *sorted(folder.glob("*/lane-*.json"))]
    return {str(path.relative_to(folder)): json.loads(path.read_bytes()) for path in paths}


def main() -> None:
    """Print what was there after each kill, and what differs at the end."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=8)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--preset", choices=PRESETS, default="quick")
    chosen = options.parse_args()
    words, chance = ["demo", "--preset", chosen.preset], random.Random(chosen.seed)
    with tempfile.TemporaryDirectory() as work:
        whole, stopped = Path(work) / "whole", Path(work) / "killed"
        seconds = through(words, whole)
        print(f"ran through in {seconds:.0f} s", flush=True)
        for kill in range(chosen.kills):
            lived = chance.uniform(0.5, 1.5) * seconds / (chosen.kills + 1)
            if not killed(words, stopped, lived, writing=kill % 2 == 1):
                print("it ended before it could be killed again")
                break
            print(f"kill {kill + 1} after {lived:.0f} s or more: {reached(stopped)}", flush=True)
        print(f"the rest took {through(words, stopped):.0f} s")
        paths = list(differing(contents(whole), contents(stopped)))
    timed = [path for path in paths if path.startswith(f"{WHOLE}.measured.")]
    print(f"differing, measured in time: {len(timed)} values: {', '.join(timed)}")
    print(f"differing otherwise: {[path for path in paths if path not in timed] or 'none'}")


if __name__ == "__main__":
    main()
