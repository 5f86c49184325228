"""The oracle's speed: `python tests/benchmarks/oracle.py [demo vgg16 resnet20 mobilenet squeezenet]`.

Incremental against reference in one run: the same images, channels last in both, the same threads. The reference does
the same work for every unit, so where it would take too long it is timed on units drawn at random, and scaled up; on
those, every change is compared. FLOPs are those of convolutions and linear layers; their floor is what lies behind the
first consumer of every (image, unit) pair whose feature map is not zero. The peak is the best that a 3x3 convolution of
64 to 512 maps reaches in this run. Last, how rank correlation with the exact oracle grows with time.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from subjects import SUBJECTS, Subject
from torch import Tensor

from explorer.networks.network import Network
from explorer.scoring.oracle import Incremental, Oracle, OracleOptions, ReferenceOracle, oracle_steps
from explorer.scoring.ranking import spearman


@dataclass(frozen=True)
class Timed:
    """What some work gave, and how long it took."""

    value: Tensor
    seconds: float


def timed(work: Callable[[], Tensor]) -> Timed:
    """One run."""
    start = time.perf_counter()
    value = work()
    return Timed(value, time.perf_counter() - start)


@torch.no_grad()
def peak() -> float:
    """FLOP/s of the fastest 3x3 convolution."""
    best = 0.0
    for maps, side, images in ((64, 32, 64), (64, 14, 256), (128, 16, 128), (256, 8, 256), (512, 4, 256)):
        x = torch.randn(images, maps, side, side).to(memory_format=torch.channels_last)
        w = torch.randn(maps, maps, 3, 3).to(memory_format=torch.channels_last)
        taken = min(timed(lambda x=x, w=w: torch.conv2d(x, w, None, 1, 1)).seconds for _ in range(8))
        best = max(best, 2 * 9 * maps * maps * side * side * images / taken)
    return best


def reference(network: Network, x: Tensor, y: Tensor, units: Tensor) -> Timed:
    """(N, units) changes of some units, the whole network run for each, scaled up to the time for all of them."""
    slow = ReferenceOracle(network)
    slow.gated.body.to(memory_format=torch.channels_last)
    x = x.to(memory_format=torch.channels_last)
    slow.changes_of(units[:2].tolist(), x, y)  # warms up
    found = timed(lambda: slow.changes_of(units.tolist(), x, y))
    return Timed(found.value, found.seconds * len(network.units) / len(units))


def floor(incremental: Incremental, x: Tensor) -> int:
    """FLOPs behind the first consumer of the pairs that change anything; their own contribution not counted."""
    with torch.no_grad():
        env = incremental.program.values(x.to(memory_format=torch.channels_last))
    total = 0
    for layer in incremental.units.layers:
        for part, pairs in incremental._work(layer, env):
            total += len(pairs) * sum(incremental.program.flops.get(n, 0) for n in part.steps if n is not part.start)
    return total


def compare(name: str, subject: Subject, chosen: argparse.Namespace, best: float) -> Timed:
    """Print how the incremental oracle does against the reference; returns the reference's time for all units."""
    network, batches = subject
    generator = torch.Generator().manual_seed(0)
    units = torch.randperm(len(network.units), generator=generator)[: chosen.units]
    incremental = Incremental(network)
    incremental.changes(batches.x[:2], batches.y[:2])  # warms up
    incremental.executed = 0
    fast = timed(lambda: incremental.changes(batches.x, batches.y))
    slow = reference(network, batches.x, batches.y, units)
    executed, least = incremental.executed, floor(incremental, batches.x)
    difference = float((fast.value[:, units] - slow.value).abs().max())
    mean = float((fast.value.mean(0)[units] - slow.value.mean(0)).abs().max())
    print(f"{name}: {len(network.units)} units, {len(batches)} images")
    print(
        f"  reference    {slow.seconds:9.1f} s"
        + (f", scaled up from {len(units)} units" if len(units) < len(network.units) else "")
    )
    print(f"  incremental  {fast.seconds:9.1f} s, {slow.seconds / fast.seconds:.1f}x as fast")
    print(f"  greatest difference {difference:.1e} nats an image, {mean:.1e} of an oracle-loss")
    print(
        f"  executed {executed / 1e9:.1f} GFLOPs, {executed / least:.2f}x of the floor of the nonzero pairs; "
        f"{executed / fast.seconds / 1e9:.0f} GFLOP/s, {executed / fast.seconds / best:.0%} of the peak"
    )
    return Timed(fast.value, slow.seconds)


def curve(subject: Subject, exact: Timed) -> None:
    """Print rank correlation against time."""
    network, batches = subject
    final = exact.value.mean(0).abs()
    start = time.perf_counter()
    print(
        "  anytime: seconds, exact images, expected and true rank correlation with the exact oracle, share of the "
        "reference's time"
    )
    settled: Oracle | None = None
    for found in oracle_steps(network, batches, OracleOptions(estimates=True)):
        taken = time.perf_counter() - start
        mark = " <- settled" if found.settled and settled is None else ""
        settled = settled or (found if found.settled else None)
        print(
            f"    {taken:7.1f} {found.images:5d} {found.expected_agreement:.3f} "
            f"{spearman(found.oracle_abs, final):.4f}   1/{exact.seconds / taken:.0f}{mark}"
        )


def main() -> None:
    """Print a table for each network."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("networks", nargs="*", default=list(SUBJECTS), metavar="NETWORK", help=", ".join(SUBJECTS))
    options.add_argument("--images", type=int, default=64)
    options.add_argument("--units", type=int, default=64, help="units that the reference is timed on")
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--curve", action="store_true", help="rank correlation against time, too")
    chosen = options.parse_args()
    torch.set_num_threads(chosen.threads)
    best = peak()
    print(
        f"{chosen.threads} threads, torch {torch.__version__}, cpu, float32; convolution peak {best / 1e9:.0f} GFLOP/s"
    )
    for name in chosen.networks:
        subject = SUBJECTS[name](chosen.images)
        exact = compare(name, subject, chosen, best)
        if chosen.curve:
            curve(subject, exact)
    print(f"peak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
