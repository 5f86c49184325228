"""Curvature of the loss at the gates: the second-order evidence for OBD. Every result is (N, units), nats."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from explorer.data import Batches
from explorer.gates import Gated
from explorer.networks.network import Network
from explorer.progress import Report, silent

PROBES = 4
EXACT_CLASSES = 32  # up to so many classes, a backward pass for each is cheaper than probes that are as good


def curvature(network: Network, batches: Batches, *, seed: int = 0, report: Report = silent) -> Tensor:
    """d2C_n/dg_u2 of every image and unit, by classes where there are few, else by probes."""
    if len(network.classes) <= EXACT_CLASSES:
        return curvature_by_classes(network, batches, report=report)
    return curvature_by_probes(network, batches, seed=seed, report=report)


def curvature_by_classes(network: Network, batches: Batches, *, report: Report = silent) -> Tensor:
    """The Fisher diagonal in gate space, from one backward pass a class.

        d2C_n/dg_u2 = sum_c p_c J_cu^2 - (sum_c p_c J_cu)^2,   J_cu = dlogit_c/dg_u,   p = softmax(logits)

    Exact where every logit is linear in a single gate: piecewise-linear activations, and no path that crosses a gate
    twice; elsewhere the Gauss-Newton approximation, which is never negative.
    """

    def of_batch(gated: Gated, x: Tensor, y: Tensor, done: int) -> Tensor:
        gates = torch.ones(len(x), len(network.units), device=x.device, requires_grad=True)
        logits = gated(x, gates)
        first, second = torch.zeros_like(gates), torch.zeros_like(gates)
        for p, logit in zip(logits.detach().softmax(1).T, logits.T, strict=True):
            (slope,) = torch.autograd.grad(logit.sum(), gates, retain_graph=True)
            first += p[:, None] * slope
            second += p[:, None] * slope.square()
        return (second - first.square()).clamp(min=0)  # rounding leaves dead units a hair below

    return _over_batches(of_batch, network, batches, f"images, {len(network.classes)} backward passes each", report)


def curvature_by_probes(
    network: Network, batches: Batches, *, probes: int = PROBES, seed: int = 0, report: Report = silent
) -> Tensor:
    """Unbiased estimates of the Hessian's diagonal, as in the paper, from Hessian-vector products.

        diag(H_n) = E[v * (H_n v)],   v[u] = +1 or -1 with equal chance

    averaged over `probes` vectors v an image, all drawn before the first batch, so that batches do not matter.
    Pearlmutter 1994 (Hessian-vector products); Bekas, Kokiopoulou, Saad 2007 (the estimator).
    """
    generator = torch.Generator().manual_seed(seed)
    shape = (probes, len(batches), len(network.units))
    signs = torch.randint(0, 2, shape, generator=generator, dtype=torch.int8).mul_(2).sub_(1)

    def of_batch(gated: Gated, x: Tensor, y: Tensor, done: int) -> Tensor:
        gates = torch.ones(len(x), len(network.units), device=x.device, requires_grad=True)
        loss = F.cross_entropy(gated(x, gates), y, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, gates, create_graph=True)
        total = torch.zeros_like(gates)
        for v in signs[:, done : done + len(x)].to(x.device, torch.float32):
            total += v * torch.autograd.grad((gradient * v).sum(), gates, retain_graph=True)[0]
        return total / probes

    return _over_batches(of_batch, network, batches, f"images, {probes} Hessian-vector products each", report)


def _over_batches(
    of_batch: Callable[[Gated, Tensor, Tensor, int], Tensor],
    network: Network,
    batches: Batches,
    note: str,
    report: Report,
) -> Tensor:
    gated = Gated(network.module, network.units)
    parts: list[Tensor] = []
    done = 0
    for x, y in batches:
        parts.append(of_batch(gated, x.to(gated.device), y.to(gated.device), done).cpu().double())
        done += len(y)
        report(done, len(batches), note)
    return torch.cat(parts)
