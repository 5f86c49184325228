"""Evaluation: loss, accuracy and latency of a network, whole or gated."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from explorer.core.parallel import side_by_side
from explorer.core.progress import Report, silent
from explorer.data import Batches
from explorer.networks.gates import Gated, open_gates
from explorer.networks.losses import CROSS_ENTROPY, Loss
from explorer.networks.network import Network
from explorer.networks.units import none_removed

WARMUP = 3  # runs before those that are timed
Body = Callable[[Tensor], Any]  # computes something from images


@dataclass(frozen=True, eq=False)
class Outcome:
    """A network's answers to N images."""

    logits: Tensor  # (N, classes) float32
    labels: Tensor  # (N,) int64
    judged_by: Loss = CROSS_ENTROPY  # the network's own

    @property
    def loss(self) -> float:
        """Mean over the images, in the loss's unit."""
        return float(self.judged_by.mean(self.logits.double(), self.labels))

    @property
    def losses(self) -> Tensor:
        """(N,) float64, of each image."""
        return self.judged_by.of_images(self.logits.double(), self.labels)

    @property
    def loss_error(self) -> float | None:
        """Standard error of the loss over the images, std / sqrt(N); None for a single image."""
        losses = self.losses
        return float(losses.std()) / math.sqrt(len(losses)) if len(losses) > 1 else None

    @property
    def probabilities(self) -> Tensor:
        """(N, classes) float64 that the network gives to the classes."""
        return self.judged_by.probabilities(self.logits.double())

    @property
    def accuracy(self) -> float:
        """Share of images whose largest logit is the label's, 0 to 1."""
        return float((self.logits.argmax(1) == self.labels).double().mean())

    def confusion(self, classes: int) -> Tensor:
        """(classes, classes) int64 counts: row = label, column = prediction."""
        cells = self.labels * classes + self.logits.argmax(1)
        return torch.bincount(cells, minlength=classes**2).view(classes, classes)


def evaluate(network: Network, batches: Batches, removed: Tensor | None = None, report: Report = silent) -> Outcome:
    """Run the images through the network with the units where `removed` (units,) is True gated, in eval mode."""
    closed = none_removed(network.units) if removed is None else removed
    gated = Gated(network.module, network.units, closed)
    gates = open_gates(closed).to(gated.device)

    @torch.no_grad()
    def of_batch(batch: tuple[Tensor, Tensor]) -> Outcome:
        return Outcome(gated(batch[0].to(gated.device), gates).float().cpu(), batch[1], network.loss)

    found: list[Outcome] = []
    for outcome in side_by_side(of_batch, batches, gated.device):
        found.append(outcome)
        report(sum(len(each.labels) for each in found), len(batches), "images evaluated")
    logits, labels = torch.cat([each.logits for each in found]), torch.cat([each.labels for each in found])
    return Outcome(logits, labels, network.loss)


@dataclass(frozen=True)
class Latency:
    """Wall-clock time of one forward pass, milliseconds."""

    median: float
    lower_quartile: float
    upper_quartile: float
    batch: int
    runs: int
    device: str
    threads: int

    @property
    def throughput(self) -> tuple[float, float, float]:
        """Images a second: median, lower and upper quartile."""
        images = 1e3 * self.batch
        return images / self.median, images / self.upper_quartile, images / self.lower_quartile

    def share_of(self, full: Latency) -> float:
        """This time as a share of another, measured in turn.

        The lower quartiles are compared, as other load on the machine disturbs them least.
        """
        return self.lower_quartile / full.lower_quartile


def measure_latency(network: Network, *, batch: int = 1, runs: int = 20, warmup: int = WARMUP) -> Latency:
    """Median and quartiles of the time that a batch of blank images takes, after `warmup` runs."""
    return measure_latencies([network], batch=batch, runs=runs, warmup=warmup)[0]


def measure_latencies(
    networks: Sequence[Network], *, batch: int = 1, runs: int = 20, warmup: int = WARMUP, report: Report = silent
) -> tuple[Latency, ...]:
    """The latency of each, measured in turns: other load on the machine then slows all of them alike."""
    jobs = [(each.module, torch.zeros(batch, *each.input_shape, device=each.device)) for each in networks]
    return latencies(jobs, runs=runs, warmup=warmup, report=report)


@torch.no_grad()
def latencies(
    jobs: Sequence[tuple[Body, Tensor]], *, runs: int = 20, warmup: int = WARMUP, report: Report = silent
) -> tuple[Latency, ...]:
    """The same of anything that takes a batch (N, C, H, W) of images, each with its own."""
    taken = []
    for done in range(warmup + runs):
        report(done, warmup + runs, "latency measured")
        taken.append([timed(*job) for job in jobs])
    times = torch.tensor(taken[warmup:], dtype=torch.float64)
    low, median, high = torch.quantile(times, torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64), dim=0).tolist()
    return tuple(
        Latency(median[i], low[i], high[i], len(x), runs, str(x.device), torch.get_num_threads())
        for i, (_, x) in enumerate(jobs)
    )


def latency_share(network: Network, smaller: Network, *, rounds: int = 15, report: Report = silent) -> float:
    """Time of a forward pass of `smaller` on one blank image, as a share of that of `network`."""
    full, less = measure_latencies([network, smaller], runs=rounds, report=report)
    return less.share_of(full)


def timed(body: Body, x: Tensor) -> float:
    """Milliseconds of one forward pass, to its end on the device."""
    start = time.perf_counter()
    body(x)
    if x.is_cuda:
        torch.cuda.synchronize(x.device)
    return (time.perf_counter() - start) * 1e3
