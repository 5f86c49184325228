"""Curvature of the loss at the gates: the second-order evidence. Everything is per image and unit, in nats."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.core.progress import Report, silent
from explorer.data import Batches
from explorer.networks.gates import Gated
from explorer.networks.network import Network
from explorer.scoring.linearise import Linearisation


@dataclass(frozen=True, eq=False)
class Curvature:
    """Estimates of d2C_n/dg_u2 of N images, and how far chance may have moved them; float64 on the CPU."""

    values: Tensor  # (N, units) d2C_n/dg_u2, nats
    variance: Tensor  # (N, units) nats^2, of the random draws alone; 0 where nothing was drawn

    @property
    def standard_error(self) -> Tensor:
        """(units,) of the mean over images, from the draws alone: these images, drawn anew."""
        return self.variance.sum(0).sqrt() / len(self.variance)


def fisher(found: Linearisation) -> Curvature:
    """The Fisher diagonal in gate space, from the slopes of the logits and the loss's probabilities p.

        d2C_n/dg_u2 = sum over c of p_c (J_cu - a_u)^2,   a_u = sum over c of p_c J_cu

    Where not all classes are followed, the sum over the others is estimated from those drawn of them, without bias.
    Exact, and autograd's Hessian, where every logit is linear in a single gate: piecewise-linear activations, and no
    path that crosses a gate twice; elsewhere the Gauss-Newton approximation. Never negative.
    """
    p = found.loss.probabilities(found.logits).gather(1, found.classes)  # (N, K)
    others = found.others
    average = others.average if others else torch.einsum("nk,nku->nu", p.float(), found.slopes)
    values = torch.einsum("nk,nku->nu", p, _squares(found.slopes, average))
    if others is None:
        return Curvature(values, torch.zeros_like(values))
    squares, chance = _squares(others.slopes, average), (1 - p.sum(1)).clamp(min=0)[:, None]
    return Curvature(values + chance * squares.mean(1), chance**2 * squares.var(1) / squares.shape[1])


def _squares(slopes: Tensor, average: Tensor) -> Tensor:
    return (slopes - average[:, None]).double().square()


def curvature_by_probes(
    network: Network, batches: Batches, *, probes: int, seed: int = 0, report: Report = silent
) -> Curvature:
    """Unbiased estimates of the Hessian's diagonal, as in the paper, from Hessian-vector products.

        diag(H_n) = E[v * (H_n v)],   v[u] = +1 or -1 with equal chance

    averaged over `probes` vectors v an image, all drawn before the first batch, so that batches do not matter.
    Pearlmutter 1994 (Hessian-vector products); Bekas, Kokiopoulou, Saad 2007 (the estimator).
    """
    generator = torch.Generator().manual_seed(seed)
    shape = (probes, len(batches), len(network.units))
    signs = torch.randint(0, 2, shape, generator=generator, dtype=torch.int8).mul_(2).sub_(1)
    gated = Gated(network.module, network.units)
    values, variances = [], []
    done = 0
    for x, y in batches:
        gates = torch.ones(len(x), len(network.units), device=gated.device, requires_grad=True)
        loss = network.loss.sum(gated(x.to(gated.device), gates), y.to(gated.device))
        estimates = _products(loss, gates, signs[:, done : done + len(x)])
        values.append(estimates.mean(0))
        variances.append(estimates.var(0) / probes)
        done += len(y)
        report(done, len(batches), f"images, {probes} Hessian-vector products each")
    return Curvature(torch.cat(values), torch.cat(variances))


def _products(loss: Tensor, gates: Tensor, signs: Tensor) -> Tensor:
    """Loss () of gates (B, units), signs (probes, B, units) -> v * (H_n v) of each probe v, float64 on the CPU."""
    (gradient,) = torch.autograd.grad(loss, gates, create_graph=True)
    found = []
    for v in signs.to(gates.device, torch.float32):
        found.append(v * torch.autograd.grad((gradient * v).sum(), gates, retain_graph=True)[0])
    return torch.stack(found).cpu().double()
