"""The oracle: what removing each single unit does to the loss, measured.

Every figure here is before fine-tuning.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from explorer.data import Batches
from explorer.gates import Gated
from explorer.networks.network import Network
from explorer.networks.units import Units
from explorer.progress import Report, silent


@dataclass(frozen=True, eq=False)
class Oracle:
    """The effect of every single removal, on the images done so far."""

    units: Units
    oracle_loss: Tensor  # (units,) C(g_u = 0) - C(g = 1), nats, mean over images; > 0: removal hurts
    standard_error: Tensor  # (units,) of oracle_loss over images, nats
    images: int
    method: str = "reference"

    @property
    def oracle_abs(self) -> Tensor:
        """(units,) |oracle_loss|: the absolute value is taken after the mean over images."""
        return self.oracle_loss.abs()


def reference_oracle(network: Network, batches: Batches, report: Report = silent) -> Oracle:
    """Close one gate, run the whole network, repeat: slow, obvious, exact."""
    *_, whole = reference_oracle_steps(network, batches, report)
    return whole


def reference_oracle_steps(network: Network, batches: Batches, report: Report = silent) -> Iterator[Oracle]:
    """The oracle of the images done so far, after every batch; the last one is of all images."""
    gated = Gated(network.module, network.units)
    runs = len(batches) * len(network.units)
    changes: list[Tensor] = []  # (B, units) a batch
    for x, y in batches:
        done = sum(map(len, changes))
        rows = []
        for row in _changes(gated, len(network.units), x.to(gated.device), y.to(gated.device)):
            rows.append(row)
            report(done * len(network.units) + len(rows) * len(y), runs, f"{done} of {len(batches)} images done")
        changes.append(torch.stack(rows, dim=1))
        yield _summary(network.units, torch.cat(changes))


def _changes(gated: Gated, units: int, x: Tensor, y: Tensor) -> Iterator[Tensor]:
    """For one unit after the other: C_n(g_u = 0) - C_n(g = 1), (B,), float64 on the CPU."""
    base = _losses(gated, x, y, torch.ones(units, device=x.device))
    for unit in range(units):
        gates = torch.ones(units, device=x.device)
        gates[unit] = 0
        yield _losses(gated, x, y, gates) - base


@torch.no_grad()
def _losses(gated: Gated, x: Tensor, y: Tensor, gates: Tensor) -> Tensor:
    return F.cross_entropy(gated(x, gates), y, reduction="none").cpu().double()


def _summary(units: Units, changes: Tensor) -> Oracle:
    """changes: (images, units)."""
    n = len(changes)
    error = changes.std(0) / n**0.5 if n > 1 else torch.full_like(changes[0], float("inf"))
    return Oracle(units, changes.mean(0), error, n)
