"""What a study takes, part by part, and what of the paper holds: `python tests/benchmarks/study.py --networks demo`.

It runs the command `study` for the networks of `correlations.py` and keeps its folders under --out. Of all but the
demo only Table 1 and Fig. 2 are measured unless --whole: a race of SqueezeNet at 224 pixels takes hours on a CPU. Where
other work slows the machine down, the processor's seconds tell more than the clock's; with --threads 1 they are what
one free core would take.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch
from correlations import NETWORKS

from explorer.cli import commands
from explorer.study import PARTS, PRESETS, read_study


def measured(name: str, preset: str, only: list[str], limit: list[str], folder: Path) -> None:
    """Run the command, or go on with it, and print seconds and findings."""
    where, arch, data = NETWORKS[name]
    words = ["study", str(where), "--data", str(data), "--preset", preset, "--out", str(folder), "--resume"]
    clock, processor = time.perf_counter(), time.process_time()
    commands.main([*words, *(["--arch", arch] if arch else []), *only, *limit], standalone_mode=False)
    seconds = time.perf_counter() - clock, time.process_time() - processor
    print(f"{name}, {preset}: {seconds[0]:.0f} s by the clock, {seconds[1]:.0f} s of the processor")
    for part, found in read_study(folder).parts.items():
        print(f"  {PARTS[part].paper:10}{found['measured']['seconds']:8.1f} s  {PARTS[part].title}", flush=True)


def main() -> None:
    """Studies of the networks asked for, one after the other."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--networks", nargs="+", choices=NETWORKS, default=["demo"])
    options.add_argument("--preset", choices=PRESETS, default="quick")
    options.add_argument("--limit", type=int, help="images of each split, at most")
    options.add_argument("--out", type=Path, default=Path("studies"))
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--whole", action="store_true", help="all parts of all networks")
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    for name in chosen.networks:
        only = [] if chosen.whole or name == "demo" else ["--only", "agreement,ranks"]
        limit = ["--limit", str(chosen.limit)] if chosen.limit else []
        measured(name, chosen.preset, only, limit, chosen.out / f"{name}-{chosen.preset}")


if __name__ == "__main__":
    main()
