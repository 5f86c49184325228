"""The greedy order in which units go together, from one linearisation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.core.progress import Report, silent
from explorer.pruning.limits import NO_LIMITS, Limits
from explorer.scoring.linearise import Linearisation

DROP = 0.2  # of the candidates: so many may be out of play before the others are moved together
TINY = torch.finfo(torch.float32).tiny


@dataclass(frozen=True, eq=False)
class JointOrder:
    """The units in the order in which they go."""

    units: Tensor  # (count,) int64: places in the global order of the network that was linearised
    divergence: Tensor  # (count,) float64: KL predicted once this unit and those before it are gone, nats
    rest: Tensor  # int64: the other units, by what each would have added next; those of layers at the floor last

    @property
    def places(self) -> Tensor:
        """(units,) float64: 0 = goes first; as a saliency, the ranking that removes the units in this order."""
        order = torch.cat([self.units, self.rest])
        return torch.empty(len(order), dtype=torch.float64).index_copy_(0, order, torch.arange(len(order)).double())


@dataclass(frozen=True, eq=False)
class Rules:
    """The units that may go, how many of them, and the charge on each."""

    count: int | None = None  # units to order; None: all that the layers' floors allow
    charge: Tensor | None = None  # (units,) nats, taken off the divergence that a unit adds
    limits: Limits = NO_LIMITS
    calm: float = -math.inf  # nats: more than `count` units are ordered as long as they add at most this in all


ALL_ALLOWED = Rules()


def order(found: Linearisation, reference: Tensor, rules: Rules = ALL_ALLOWED, report: Report = silent) -> JointOrder:
    """The greedy order of the units, from one linearisation.

    reference: (N, classes) logits of the unpruned network on the same images.
    """
    race = _Race(found, reference, rules.charge, rules.limits)
    count = race.allowed if rules.count is None else rules.count
    units: list[int] = []
    divergence = [race.divergence]
    while len(units) < race.allowed and (len(units) < count or divergence[-1] - divergence[0] <= rules.calm):
        units.append(race.remove(race.cheapest()))
        divergence.append(race.divergence)
        report(min(len(units), count), count, "units ordered")
    rest = torch.ones(len(found.units), dtype=torch.bool)
    rest[units] = False
    left = rest.nonzero()[:, 0]
    ordered, added = torch.tensor(units, dtype=torch.int64), torch.tensor(divergence[1:], dtype=torch.float64)
    return JointOrder(ordered, added, left[race.added()[left].argsort(stable=True)])


class _Race:
    """The state of the greedy choice.

    With slopes centred so that sum over c of p[n, c] * J[n, c, u] = 0, which changes no softmax, what unit u adds is
    `mean over n of log(sum over c of q[n, c] * exp(-J[n, c, u]))`, with q the softmax of the logits so far: the
    exponentials are taken once, and a step is one product and one logarithm for each image and candidate.
    """

    def __init__(self, found: Linearisation, reference: Tensor, charge: Tensor | None, limits: Limits) -> None:
        self.units = found.units
        self.logits, self.p, self.slopes = _followed(found, reference.double())
        highest = (-self.slopes).amax(1)  # (N, units): keeps the exponentials from overflowing
        self.factors = torch.exp(-self.slopes - highest[:, None])  # (N, K, candidates)
        self.offset = highest.double().mean(0) - (0 if charge is None else charge)  # (units,)
        self.left = torch.bincount(found.units.layer_index, minlength=len(found.units.layers))
        staying = limits.staying(found.units)
        held = torch.bincount(found.units.layer_index[staying], minlength=len(self.left))
        self.floors = torch.maximum(torch.tensor(list(limits.of(found.units).values())), held)
        self.allowed = int((self.left - self.floors).sum())  # how many units may go in all
        self.open = (self.left > self.floors)[found.units.layer_index] & ~staying  # (units,): may go next
        self.candidates = torch.arange(len(found.units))  # of the columns of `factors`

    @property
    def divergence(self) -> float:
        """mean over n of KL(p_n || q_n), nats."""
        return float((torch.xlogy(self.p, self.p) - self.p * self.logits.log_softmax(1)).sum(1).mean())

    def added(self) -> Tensor:
        """(units,) float64: divergence that each candidate would add now, less its charge; infinite for the others."""
        q = self.logits.softmax(1).float()
        products = torch.bmm(q[:, None], self.factors)[:, 0]  # (N, candidates)
        added = self.offset[self.candidates] + products.clamp_(min=TINY).log_().mean(0)
        return torch.full((len(self.units),), torch.inf, dtype=torch.float64).index_copy_(0, self.candidates, added)

    def cheapest(self) -> int:
        """The unit that may go and adds least."""
        return int(torch.where(self.open, self.added(), torch.inf).argmin())

    def remove(self, unit: int) -> int:
        """Take a unit out."""
        layer = self.units.layer_index[unit]
        self.logits = self.logits - self.slopes[:, :, unit]
        self.left[layer] -= 1
        self.open[unit] = False
        if self.left[layer] <= self.floors[layer]:
            self.open &= self.units.layer_index != layer
        keep = self.open[self.candidates]
        if keep.double().mean() < 1 - DROP:
            self.candidates, self.factors = self.candidates[keep], self.factors[:, :, keep]
        return unit


def _followed(found: Linearisation, reference: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Logits now, probabilities of the reference, both (N, K) float64, and centred slopes (N, K, units).

    Where not all classes are followed, one more stands for all the others: their logits stay, so that they act as one.
    """
    now, then, slopes = found.logits.gather(1, found.classes), reference.gather(1, found.classes), found.slopes
    if found.classes.shape[1] < found.logits.shape[1]:
        now, then = _with_rest(now, found.logits, found.classes), _with_rest(then, reference, found.classes)
        slopes = torch.cat([slopes, torch.zeros_like(slopes[:, :1])], 1)
    p = then.softmax(1)
    return now, p, slopes - torch.bmm(p.float()[:, None], slopes)


def _with_rest(known: Tensor, logits: Tensor, classes: Tensor) -> Tensor:
    return torch.cat([known, logits.scatter(1, classes, -torch.inf).logsumexp(1, keepdim=True)], 1)
