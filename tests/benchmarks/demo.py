"""How long the demo's steps take, and how many forward passes each is worth: `python tests/benchmarks/demo.py`.

Ratios are within one run, so that they compare between machines; seconds are of this machine.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch

from explorer import open_network
from explorer.data import Batches, open_images
from explorer.evaluation.evaluate import evaluate
from explorer.networks.costs import measure_costs
from explorer.networks.surgery import prune
from explorer.networks.units import none_removed
from explorer.pruning.plan import remove_next
from explorer.scoring.criteria import score
from explorer.scoring.evidence import STAGES, gather
from explorer.scoring.oracle import reference_oracle


def seconds(work: Callable[[], object], warm: bool = True) -> float:
    """Best of three after a warm-up, or one cold run."""
    if not warm:
        return _timed(work)
    work()
    return min(_timed(work) for _ in range(3))


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Print a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--images", type=int, default=256)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--oracle", action="store_true", help="time the whole reference oracle too (a minute or two)")
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    network, images = open_network("demo"), open_images("demo")
    batches = Batches(images, "calibration", network.preprocessing, chosen.images, 32)
    evidence = gather(network, batches)
    saliency, plan = score(evidence)["taylor"], none_removed(network.units)
    works: dict[str, Callable[[], object]] = {
        "forward pass, gated": lambda: evaluate(network, batches),
        **{
            f"evidence: {', '.join(sorted(stage.parts))}": lambda stage=stage: gather(network, batches, stage.parts)
            for stage in STAGES
        },
        "scores from the evidence": lambda: score(evidence),
        "next ten units: plan, costs and surgery": lambda: (
            measure_costs(network).flops(remove_next(network.units, plan, saliency, 10)),
            prune(network, remove_next(network.units, plan, saliency, 10)),
        ),
        "opening the demo: units found and checked": lambda: open_network("demo"),
    }
    times = {name: seconds(work) for name, work in works.items()}
    if chosen.oracle:
        times[f"reference oracle of {len(network.units)} units"] = seconds(
            lambda: reference_oracle(network, batches), warm=False
        )
    forward = times["forward pass, gated"]
    print(f"{chosen.images} images, {chosen.threads} threads, torch {torch.__version__}, cpu")
    for name, taken in times.items():
        print(f"{name:46} {taken:8.3f} s {taken / forward:8.1f} forward passes")


if __name__ == "__main__":
    main()
