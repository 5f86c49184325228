"""Linearisation: how the logits of every image move with every gate, from one backward pass a class.

With J[n, c, u] = dlogit_c / dg_u at the gates in force, closing gate u moves the logits of image n to
`logits[n] - J[n, :, u]`, exactly as long as no activation pattern changes. No forward pass with the gate closed is run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from explorer.core.parallel import side_by_side
from explorer.core.progress import Report, silent
from explorer.data import Batches
from explorer.networks.gates import Gated
from explorer.networks.losses import CROSS_ENTROPY, Loss
from explorer.networks.network import Network
from explorer.networks.units import Units

EXACT_CLASSES = 32  # up to so many classes, each gets its backward pass
LARGEST = 9  # logits followed where there are more classes, beside the label's


@dataclass(frozen=True, eq=False)
class UnfollowedClasses:
    """The terms of the classes that are not followed, for p = the loss's probabilities."""

    average: Tensor  # (N, units) float32: sum over all classes c of p_c * dlogit_c/dg_u
    slopes: Tensor  # (N, draws, units) float32: of classes drawn from those not followed, with chances that go by p


@dataclass(frozen=True, eq=False)
class Linearisation:
    """The logits of N images and the slopes of K of them; on the CPU."""

    units: Units
    logits: Tensor  # (N, classes) float64
    labels: Tensor  # (N,) int64
    classes: Tensor  # (N, K) int64: whose slopes are known, no class twice
    slopes: Tensor  # (N, K, units) float32: dlogit_c/dg_u
    others: UnfollowedClasses | None = None  # where there are classes beyond these K, and they were asked for
    loss: Loss = CROSS_ENTROPY  # the network's own

    def __len__(self) -> int:
        return len(self.labels)


def linearise(
    network: Network,
    batches: Batches,
    gates: Tensor | None = None,
    report: Report = silent,
    *,
    draws: int = 0,
    seed: int = 0,
) -> Iterator[Linearisation]:
    """The linearisation of one batch after the other, at the gates (units,), open where none are given.

    Up to EXACT_CLASSES classes all slopes are taken; of more, those of the label and of the LARGEST largest logits of
    each image, and the other logits are taken to stay where they are. With `draws`, so many of those others are drawn
    for each image as well, seeded, for what has to be summed over all classes: see `Others`.
    """
    gated = Gated(network.module, network.units)
    start = torch.ones(len(network.units)) if gates is None else gates
    chances = torch.rand(len(batches), draws, generator=torch.Generator().manual_seed(seed))
    of_batch = partial(_of_batch, network, gated, start)
    done = 0
    for found in side_by_side(of_batch, _with_rows(batches, chances), gated.device):
        yield found
        done += len(found)
        report(done, len(batches), f"images linearised, {_passes(found)} backward passes each")


def linearised(network: Network, x: Tensor, y: Tensor) -> Linearisation:
    """The linearisation of some images at once, x (N, C, ...) with labels y (N,), at open gates."""
    gated = Gated(network.module, network.units)
    return _of_batch(network, gated, torch.ones(len(network.units)), (x, y, torch.empty(len(x), 0)))


def _of_batch(network: Network, gated: Gated, start: Tensor, batch: tuple[Tensor, Tensor, Tensor]) -> Linearisation:
    """Of images, labels, and a row of chances an image, by which classes are drawn from those not followed."""
    x, y, chances = batch
    at = start.to(gated.device).repeat(len(x), 1).requires_grad_()
    logits = gated(x.to(gated.device), at)
    classes = followed_classes(logits.detach(), y.to(gated.device))
    slopes = _slopes(logits, classes, at)
    beyond = chances.shape[1] and classes.shape[1] < logits.shape[1]
    p = network.loss.probabilities(logits.detach())
    others = _others(logits, p, classes, at, chances) if beyond else None
    values = logits.detach().cpu().double()
    return Linearisation(network.units, values, y, classes.cpu(), slopes.cpu(), others, network.loss)


def _with_rows(batches: Batches, rows: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Every batch with its images' rows."""
    done = 0
    for x, y in batches:
        yield x, y, rows[done : done + len(y)]
        done += len(y)


def _passes(found: Linearisation) -> int:
    return found.classes.shape[1] + (1 + found.others.slopes.shape[1] if found.others else 0)


def followed_classes(logits: Tensor, labels: Tensor) -> Tensor:
    """(N, classes) logits and (N,) labels -> (N, K) the classes whose slopes are taken."""
    if logits.shape[1] <= EXACT_CLASSES:
        return torch.arange(logits.shape[1], device=logits.device).expand(len(logits), -1)
    others = logits.scatter(1, labels[:, None], float("-inf")).topk(LARGEST, dim=1).indices
    return torch.cat([labels[:, None], others], dim=1)


def _slopes(logits: Tensor, chosen: Tensor, gates: Tensor) -> Tensor:
    """(N, K) classes of each image -> (N, K, units) the slopes of their logits, a backward pass for each of the K."""
    sums = [logits.gather(1, c[:, None]).sum() for c in chosen.T]
    return torch.stack([torch.autograd.grad(s, gates, retain_graph=True)[0] for s in sums], dim=1)


def _others(logits: Tensor, p: Tensor, followed: Tensor, gates: Tensor, chances: Tensor) -> UnfollowedClasses:
    """chances: (N, draws) uniform in 0 to 1: which of the classes not followed, by their cumulated probability."""
    rest = p.cpu().double().scatter(1, followed.cpu(), 0.0).cumsum(1)
    drawn = torch.searchsorted(rest, chances * rest[:, -1:], right=True).clamp(max=p.shape[1] - 1)
    (average,) = torch.autograd.grad((p * logits).sum(), gates, retain_graph=True)
    return UnfollowedClasses(average.cpu(), _slopes(logits, drawn.to(p.device), gates).cpu())


def linear_change(found: Linearisation) -> Tensor:
    """(N, units) float64, in the loss's unit: C(logits_n - J[n, :, u]) - C(logits_n), for each single unit u."""
    change = found.loss.change(found.logits, found.labels, found.classes, found.slopes.double())
    return change.where(found.slopes.any(1), 0.0)  # without rounding where no logit moves
