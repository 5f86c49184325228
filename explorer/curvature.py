"""Curvature of the loss at the gates, by Hessian-vector products: the second-order evidence for OBD."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from explorer.data import Batches
from explorer.gates import Gated
from explorer.networks.network import Network
from explorer.progress import Report, silent

PROBES = 4


def curvature(
    network: Network, batches: Batches, *, probes: int = PROBES, seed: int = 0, report: Report = silent
) -> Tensor:
    """Unbiased estimates of d2C_n/dg_u2 for every image and unit: (N, units), nats, float64 on the CPU.

        diag(H_n) = E[v * (H_n v)],   v[u] = +1 or -1 with equal chance

    averaged over `probes` vectors v an image, all drawn before the first batch, so that batches do not matter.
    Pearlmutter 1994 (Hessian-vector products); Bekas, Kokiopoulou, Saad 2007 (the estimator).
    """
    gated = Gated(network.module, network.units)
    generator = torch.Generator().manual_seed(seed)
    shape = (probes, len(batches), len(network.units))
    signs = torch.randint(0, 2, shape, generator=generator, dtype=torch.int8).mul_(2).sub_(1)
    estimates, done = [], 0
    for x, y in batches:
        v = signs[:, done : done + len(y)].to(gated.device, torch.float32)
        estimates.append(_estimate(gated, x.to(gated.device), y.to(gated.device), v))
        done += len(y)
        report(done, len(batches), f"images, {probes} Hessian-vector products each")
    return torch.cat(estimates)


def _estimate(gated: Gated, x: Tensor, y: Tensor, signs: Tensor) -> Tensor:
    """signs (probes, B, units) -> (B, units)."""
    gates = torch.ones_like(signs[0], requires_grad=True)
    loss = F.cross_entropy(gated(x, gates), y, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, gates, create_graph=True)
    total = torch.zeros_like(gates, dtype=torch.float64)
    for v in signs:
        (product,) = torch.autograd.grad((gradient * v).sum(), gates, retain_graph=True)
        total += v * product
    return (total / len(signs)).cpu()
