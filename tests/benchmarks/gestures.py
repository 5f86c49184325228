"""The paper's gesture experiment on synthetic clips: `python tests/benchmarks/gestures.py --out FOLDER`.

Nobody was filmed: the clips are the project's own (`--data gestures`). The network is trained from random weights,
pruned by Taylor with FLOPs regularisation to a fifth of its FLOPs at the paper's learning rate and momentum, and fine-
tuned a last time; beside it, if asked for, the same with units chosen at random. Each stage is one command of
pruning-explorer, printed before it runs, and a run folder below FOLDER: stopped, and started again, it goes on after
the last epoch or step. Then every stage is measured on the test clips, which no stage has seen.
"""

from __future__ import annotations

import argparse
import json
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from explorer.cli import main as pruning_explorer

LEFT = 0.2  # of the FLOPs
LOST = 0.05  # of the accuracy, at most
PAPER = "paper (R3DCNN on nvGesture, filmed hands): 37.8 to 3.0 GFLOPs, 12.6x fewer; accuracy 80.7 % to 78.2 %"
ADAM = "--optimizer adam --schedule cosine --minibatch 8"
TRAIN = f"--arch explorer:r3dcnn --weights none --data gestures --epochs 3 --learning-rate 1e-3 {ADAM}"
PRUNE = f"--until flops={LEFT} --flops-penalty 1e-3 --step 12 --updates 30 --limit 100"
PAPERS = "--learning-rate 3e-4 --momentum 0.9 --minibatch 8"
AGAIN = f"--epochs 2 --learning-rate 5e-4 {ADAM}"


@dataclass(frozen=True)
class Stage:
    """A command and the run folder that it fills."""

    title: str
    command: str
    run: str


def stages(seed: int, criteria: Sequence[str]) -> list[Stage]:
    """Training, then pruning and fine-tuning by each criterion."""
    found = [Stage("trained", f"finetune {TRAIN} --seed {seed}", "trained")]
    for name in criteria:
        found += [
            Stage(f"pruned, {name}", f"prune trained --criterion {name} {PRUNE} {PAPERS}", f"pruned-{name}"),
            Stage(f"  and fine-tuned, {name}", f"finetune --weights pruned-{name} {AGAIN}", f"tuned-{name}"),
        ]
    return found


def run(command: str) -> float:
    """Seconds of one command; SystemExit where it fails."""
    print(f"$ pruning-explorer {command}", flush=True)
    start = time.perf_counter()
    try:
        pruning_explorer(shlex.split(command))
    except SystemExit as end:
        if end.code:
            raise
    return time.perf_counter() - start


def placed(command: str, folder: Path) -> str:
    """The command with run folders where they are."""
    runs = ("trained", "pruned-", "tuned-")
    return shlex.join(str(folder / word) if word.startswith(runs) else word for word in shlex.split(command))


def measured(stage: Stage, folder: Path, split: str) -> dict[str, Any]:
    """What `evaluate` says of a stage's network."""
    file = folder / f"{stage.run}-{split}.json"
    if not file.exists():
        run(f"evaluate {shlex.quote(str(folder / stage.run))} --split {split} --json {shlex.quote(str(file))}")
    return dict(json.loads(file.read_text()))


def show(rows: Sequence[tuple[Stage, dict[str, Any], dict[str, Any]]]) -> None:
    """A row a stage, and the goal."""
    validation, test = rows[0][1:]
    settings = test["settings"]
    print(
        f"\nexplorer:r3dcnn on {test['data']['name']}, clip by clip of 16 frames; seed {settings['seed']}, "
        f"{settings['device']}, {settings['threads']} threads; accuracy on {validation['images']} validation and "
        f"{test['images']} test clips; latency: median of one clip's forward pass"
    )
    print(f"{'':28}{'units':>6}{'parameters':>12}{'MFLOPs':>9}{'fewer':>7}{'ms':>8}{'validation':>12}{'test':>8}")
    for stage, near, far in rows:
        print(
            f"{stage.title:28}{far['network']['units']:>6}{far['parameters']:>12,}{far['flops'] / 1e6:>9.1f}"
            f"{test['flops'] / far['flops']:>6.1f}x{far['latency_ms']:>8.1f}{near['accuracy']:>12.1%}"
            f"{far['accuracy']:>8.1%}"
        )
    for stage, _, far in rows[2::2]:
        lost, fewer = test["accuracy"] - far["accuracy"], test["flops"] / far["flops"]
        met = "met" if fewer >= 1 / LEFT and lost <= LOST else "missed"
        print(
            f"{stage.run}: {fewer:.1f}x fewer FLOPs, {100 * -lost:+.1f} points of accuracy; "
            f"goal: {1 / LEFT:.0f}x and at most {100 * LOST:.0f} points lost, {met}"
        )
    print(PAPER)


def main() -> None:
    """Train, prune, fine-tune, measure."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--criteria", nargs="+", default=["taylor"], help="taylor first; random is the control")
    options.add_argument("--threads", type=int, default=2)
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    found = stages(chosen.seed, chosen.criteria)
    for stage in found:
        taken = run(f"{placed(stage.command, chosen.out)} --out {shlex.quote(str(chosen.out / stage.run))} --resume")
        print(f"{stage.title}: {taken:.0f} s", flush=True)
    show([(stage, *(measured(stage, chosen.out, split) for split in ("validation", "test"))) for stage in found])


if __name__ == "__main__":
    main()
