"""The consequence of a unit's removal: for the loss of each class, for the units coupled to it, and for the costs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.evaluation.evaluate import Outcome
from explorer.networks.costs import Costs
from explorer.networks.network import Network
from explorer.scoring.detail.weights import locate


@dataclass(frozen=True, eq=False)
class Effects:
    """Changes from the network with a unit to the one without it, a row a group of images; nan where there are none."""

    images: Tensor  # (groups,) int64
    loss: Tensor  # (groups,) nats, mean over the group's images; above 0: removal hurts
    error: Tensor  # (groups,) standard error of `loss`, nats; infinite for a single image
    accuracy: Tensor  # (groups,) -1 to 1


@dataclass(frozen=True)
class Coupled:
    """Channels of one module that go with a unit."""

    module: str
    kind: str  # the module's class
    side: str  # "out": the module writes them; "in": it reads them
    channels: tuple[int, ...]
    width: int  # all channels of the module on that side


@dataclass(frozen=True)
class Saving:
    """The cost of the network with a unit minus its cost without the unit."""

    parameters: int
    flops: int  # one image
    of_parameters: int  # of the network with it
    of_flops: int


def effects_by_class(before: Outcome, after: Outcome, classes: int) -> Effects:
    """A row a true class, of two outcomes on the same images."""
    return _effects(before, after, before.labels, classes)


def effects_overall(before: Outcome, after: Outcome) -> Effects:
    """One row, of all images."""
    return _effects(before, after, torch.zeros_like(before.labels), 1)


def _effects(before: Outcome, after: Outcome, group: Tensor, groups: int) -> Effects:
    change, right = after.losses - before.losses, _right(after) - _right(before)
    count = torch.bincount(group, minlength=groups)
    loss, accuracy = (_sums(values, group, groups) / count for values in (change, right))
    variance = _sums((change - loss[group]).square(), group, groups) / (count - 1).clamp(min=0)
    error = (variance / count).sqrt().masked_fill(count == 1, torch.inf)
    return Effects(count, loss, error, accuracy)


def _right(outcome: Outcome) -> Tensor:
    return (outcome.logits.argmax(1) == outcome.labels).double()


def _sums(values: Tensor, group: Tensor, groups: int) -> Tensor:
    return torch.zeros(groups, dtype=values.dtype).index_add(0, group, values)


def open_and_closed(removed: Tensor, unit: int) -> tuple[Tensor, Tensor]:
    """The plan with the unit left, and the plan with it gone; all others as in `removed`."""
    place = torch.arange(len(removed)) == unit
    return removed & ~place, removed | place


def coupled(network: Network, unit: int) -> tuple[Coupled, ...]:
    """All that goes with the unit, the convolutions that write it first; channels as in the network as loaded."""
    layer, place = locate(network.units, unit)
    found = [
        Coupled(
            c.module,
            type(network.module.get_submodule(c.module)).__name__,
            c.side,
            tuple(c.channels[place].tolist()),
            c.width,
        )
        for c in layer.couplings
    ]
    return tuple(sorted(found, key=lambda c: (c.module not in layer.writers, c.side == "in")))


def saving(costs: Costs, removed: Tensor, unit: int) -> Saving:
    """The cost of the unit in the network without the removed units."""
    left, gone = open_and_closed(removed, unit)
    parameters, flops = costs.parameters(left), costs.flops(left)
    return Saving(parameters - costs.parameters(gone), flops - costs.flops(gone), parameters, flops)
