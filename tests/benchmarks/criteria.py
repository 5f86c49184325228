"""What the criteria cost, in passes like those of training: `python tests/benchmarks/criteria.py`.

The measure is one plain forward and backward pass over the same images with the gradients of all weights, in the same
run and with as many threads. The network is VGG-16 for 32x32 images with random weights, 4,224 units; more than 32
classes are followed in part (see `explorer.scoring.linearise`). The rounds take turns; the shortest time counts.
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import vgg16

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))

from networks_at_hand import Tensors, network

from explorer.networks.network import Network
from explorer.scoring.criteria import CRITERIA, score
from explorer.scoring.evidence import STAGES, gather

SIZE = 32
FIRST = frozenset({"seen"})
CLASSWISE = frozenset({"seen", "curvature", "linear_change"})
GOALS = {"first-order and activations": 1.1, "with Taylor-2, OBD and the linearised oracle": {10: 6.0, 1000: 8.0}}


def vgg(classes: int) -> Network:
    torch.manual_seed(0)
    module = nn.Sequential(vgg16(weights=None).features, nn.Flatten(), nn.Linear(512, classes))
    return network(module, (3, SIZE, SIZE), f"VGG-16, {classes} classes", classes)


def plain_pass(found: Network, images: Tensors) -> Callable[[], object]:
    """One forward and backward pass as in training, but in eval mode like all others here."""
    module = copy.deepcopy(found.module).requires_grad_(True)

    def work() -> None:
        module.zero_grad(set_to_none=True)
        for x, y in images:
            F.cross_entropy(module(x), y).backward()

    return work


def shortest(works: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Seconds of each, after a round to warm up."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for counted in [False] + [True] * rounds:
        for name, work in works.items():
            start = time.perf_counter()
            work()
            if counted:
                taken[name].append(time.perf_counter() - start)
    return {name: min(times) for name, times in taken.items()}


def measure(classes: int, images: Tensors, rounds: int) -> None:
    """Print one network's table."""
    found = vgg(classes)
    plain = "a plain forward and backward pass"
    together, classwise = GOALS
    works = {
        plain: plain_pass(found, images),
        together: lambda: score(gather(found, images, FIRST)),
        classwise: lambda: score(gather(found, images, CLASSWISE)),
        **{f"{_criteria(stage.parts)}": lambda s=stage: gather(found, images, s.parts) for stage in STAGES},
    }
    times = shortest(works, rounds)
    goals = {together: GOALS[together], classwise: GOALS[classwise].get(classes)}
    print(f"\n{found.name}, {len(found.units):,} units")
    for name, seconds in times.items():
        goal = f"goal <= {goals[name]}" if goals.get(name) else ""
        print(f"{name:86} {seconds:7.2f} s {seconds / times[plain]:7.2f} {goal}")


def _criteria(parts: frozenset[str]) -> str:
    names = [c.name for c in CRITERIA.values() if parts & set(c.needs)]
    return f"only {', '.join(names[:4])}{f' and {len(names) - 4} more' if len(names) > 4 else ''}"


def main() -> None:
    """Print a table for each number of classes."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--images", type=int, default=64)
    options.add_argument("--batch", type=int, default=32)
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--classes", type=int, nargs="+", default=[10, 1000])
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    print(f"{chosen.images} images of {SIZE}x{SIZE}, {chosen.threads} threads, torch {torch.__version__}, cpu")
    for classes in chosen.classes:
        generator = torch.Generator().manual_seed(0)
        x = torch.randn(chosen.images, 3, SIZE, SIZE, generator=generator)
        y = torch.randint(classes, (chosen.images,), generator=generator)
        measure(classes, Tensors(x, y, chosen.batch), chosen.rounds)


if __name__ == "__main__":
    main()
