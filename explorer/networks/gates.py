"""Pruning gates: units closed without removing anything.

A gate g[u] multiplies unit u's channels at the input of every layer that consumes them, after batch-norm and
activation. Closed everywhere (g[u] = 0), the network computes what it computes with the unit removed.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from explorer.networks.network import replica
from explorer.networks.units import Units


class Gated(nn.Module):
    """A private replica of a network with a gate on every unit; weights are shared, the original is untouched.

    closing: (units,) bool, where only some units' gates will ever be closed: to multiply by ones takes time as well.
    """

    def __init__(self, module: nn.Module, units: Units, closing: Tensor | None = None) -> None:
        super().__init__()
        self.body = replica(module).eval()
        self.device = next(module.parameters()).device
        self._now = threading.local()  # several threads may run it side by side
        closing = torch.ones(len(units), dtype=torch.bool) if closing is None else closing
        for name, unit_of_channel in units.gate_maps.items():
            if not F.pad(closing, (0, 1))[unit_of_channel].any():
                continue
            close = partial(self._close, unit_of_channel.to(self.device))
            self.body.get_submodule(name).register_forward_pre_hook(close)

    def forward(self, x: Tensor, gates: Tensor) -> Tensor:
        """Logits (N, classes) of x under gates (units,), the same for all images, or (N, units), one row an image."""
        self._now.gates = F.pad(gates, (0, 1), value=1.0)  # the last gate stands behind channels that are no unit's
        logits: Tensor = self.body(x)
        return logits

    def _close(self, unit_of_channel: Tensor, consumer: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        x, gates = inputs[0], self._now.gates[..., unit_of_channel]
        if gates.dim() == 2 and len(x) != len(gates):  # parts of an image that the network folds into the batch
            gates = gates.repeat_interleave(len(x) // len(gates), dim=0)
        ones = [1] * (x.dim() - 2)
        last = isinstance(consumer, nn.Linear)  # which has its channels last; others first, then space
        shape = (*ones, gates.shape[-1]) if last else (gates.shape[-1], *ones)
        return (x * gates.reshape(*gates.shape[:-1], *shape), *inputs[1:])


def open_gates(removed: Tensor) -> Tensor:
    """removed (units,) bool -> gates (units,) float: 0 where removed, 1 elsewhere."""
    return torch.where(removed, 0.0, 1.0)
