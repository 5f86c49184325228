"""The oracle as its definition says it: the truth of the tests and the baseline of the benchmarks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from explorer.core.progress import Report, silent
from explorer.data import Batches
from explorer.networks.gates import Gated
from explorer.networks.network import Network
from explorer.scoring.oracle.ablator import Counter, Done, ignore
from explorer.scoring.oracle.result import Oracle


class ReferenceOracle:
    """Close one gate, run the whole network, repeat: slow, obvious, exact."""

    method = "reference"

    def __init__(self, network: Network) -> None:
        self.gated = Gated(network.module, network.units)
        self.units = len(network.units)
        self.loss = network.loss

    def changes(self, x: Tensor, y: Tensor, done: Done = ignore) -> Tensor:
        """C_n(g_u = 0) - C_n(g = 1) of every image and unit, (N, units), nats, float64, on the CPU."""
        return self.changes_of(range(self.units), x, y, done)

    def changes_of(self, units: Sequence[int], x: Tensor, y: Tensor, done: Done = ignore) -> Tensor:
        """The same of some units, (N, len(units))."""
        x, y = x.to(self.gated.device), y.to(self.gated.device)
        base = self._losses(x, y, torch.ones(self.units))
        columns = []
        for unit in units:
            gates = torch.ones(self.units)
            gates[unit] = 0
            columns.append(self._losses(x, y, gates) - base)
            done(len(x) / self.units)
        return torch.stack(columns, dim=1)

    @torch.no_grad()
    def _losses(self, x: Tensor, y: Tensor, gates: Tensor) -> Tensor:
        return self.loss.of_images(self.gated(x, gates.to(x.device)), y).cpu().double()


def reference_oracle(network: Network, batches: Batches, report: Report = silent) -> Oracle:
    """The oracle of all images, by `Reference`."""
    reference, total = ReferenceOracle(network), len(batches)
    done = Counter(report, total)
    changes = torch.cat([reference.changes(x, y, done) for x, y in batches])
    return Oracle(network.units, changes, torch.arange(total), total, ReferenceOracle.method)
