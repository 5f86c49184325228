"""Evidence: all that criteria may look at, gathered in as few passes as they need."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from explorer.curvature import curvature
from explorer.data import Batches
from explorer.networks.network import Network
from explorer.observe import Observation, observe
from explorer.progress import Report, silent


@dataclass(frozen=True, eq=False)
class Evidence:
    """One observation, and the curvature at the gates where a criterion asked for it."""

    seen: Observation
    curvature: Tensor | None = None  # (N, units) estimates of d2C_n/dg_u2, nats
    seed: int = 0  # of the random control


def gather(
    network: Network, batches: Batches, *, with_curvature: bool, seed: int = 0, report: Report = silent
) -> Evidence:
    """One pass over the images, and a second one with Hessian-vector products if `with_curvature`."""
    seen = observe(network, batches, report)
    second = curvature(network, batches, seed=seed, report=report) if with_curvature else None
    return Evidence(seen, second, seed)
