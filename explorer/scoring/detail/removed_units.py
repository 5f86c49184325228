"""Removed units: which of them changed the answer to one image."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.core.progress import Report, silent
from explorer.evaluation.answers import AT_ONCE, logits_under
from explorer.networks.network import Network


@dataclass(frozen=True, eq=False)
class RemovedUnits:
    """The loss of one image, in the loss's unit, with K units removed, with none of them, and with each apart."""

    units: Tensor  # (K,) int64
    before: float  # none of them removed
    after: float  # all of them
    alone: Tensor  # (K,) float64: this one only
    without: Tensor  # (K,) float64: all but this one, which is put back
    answers: Tensor  # (K,) int64: the predicted class with all but this one removed

    @property
    def healed(self) -> Tensor:
        """(K,) by how much the loss falls when the unit alone is put back; above 0: its removal did harm."""
        return self.after - self.without

    @property
    def harmed(self) -> Tensor:
        """(K,) by how much the loss rises when the unit alone is removed; above 0: its removal does harm."""
        return self.alone - self.before

    @property
    def undone(self) -> Tensor:
        """(K,) by how much the unit alone, put back, undoes what the loss did: above 0 towards `before`."""
        return self.healed if self.after >= self.before else -self.healed


def removed_units(
    network: Network, x: Tensor, label: int, plans: tuple[Tensor, Tensor], report: Report = silent
) -> RemovedUnits:
    """Of an image x (C, H, W) of this class, between two plans (units,) bool: before, and after more units have gone.

    Exact, two passes of the image a unit: its gate is closed alone on top of the plan before, and opened alone in the
    plan after, at the network's own weights. Raises BadInput where nothing is gone between the plans.
    """
    before, after = plans
    units = (after & ~before).nonzero()[:, 0]
    if not len(units) or (before & ~after).any():
        raise BadInput("No unit is removed between these two states: choose one and a state that was made from it.")
    ends = _losses(network, x, label, torch.stack(plans))[0].tolist()
    alone, without, answers = [], [], []
    for done, some in enumerate(units.split(AT_ONCE)):
        report(AT_ONCE * done, len(units), "removed units measured")
        own = torch.nn.functional.one_hot(some, len(before)).bool()
        alone.append(_losses(network, x, label, before | own)[0])
        losses, classes = _losses(network, x, label, after & ~own)
        without.append(losses)
        answers.append(classes)
    return RemovedUnits(units, ends[0], ends[1], torch.cat(alone), torch.cat(without), torch.cat(answers))


def _losses(network: Network, x: Tensor, label: int, plans: Tensor) -> tuple[Tensor, Tensor]:
    """(P,) loss and predicted class under each plan (P, units)."""
    logits = logits_under(network, x, plans)
    return network.loss.of_images(logits, torch.full((len(logits),), label)), logits.argmax(1)
