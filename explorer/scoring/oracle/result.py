"""The result of an oracle."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from explorer.networks.units import Units
from explorer.scoring.oracle.estimate import Estimate, estimate, expected_spearman

SETTLED = 0.99  # the expected rank correlation with the final ranks at which they count as settled


@dataclass(frozen=True, eq=False)
class Oracle:
    """The effect of every single removal on N images, as far as it is known. Nats, float64, on the CPU."""

    units: Units
    changes: Tensor  # (m, units) C_n(g_u = 0) - C_n(g = 1) of the images ablated
    positions: Tensor  # (m,) int64: which of the N images they are
    total: int  # N
    method: str
    linear: Tensor | None = None  # (N, units) the linearised changes of all images, in the data's order
    note: str = ""  # one sentence where there is something to know about the method

    @property
    def images(self) -> int:
        """The number of images with exact changes."""
        return len(self.changes)

    @property
    def whole(self) -> bool:
        """Whether all images are exact: nothing is estimated."""
        return self.images == self.total

    @cached_property
    def rows(self) -> Tensor:
        """(N, units) the changes of all images in the data's order: exact where they are known, else linearised."""
        if self.linear is None:
            assert self.whole, "without the linearised changes, only a whole oracle knows all images"
            return self.changes[self.positions.argsort()]
        return self.linear.index_copy(0, self.positions, self.changes)

    @cached_property
    def _estimate(self) -> Estimate:
        if self.linear is not None:
            return estimate(self.changes, self.positions, self.linear, self.units)
        left = (1 - self.images / self.total) ** 0.5  # of a sample without replacement
        error = torch.zeros_like(self.changes[0]) if self.whole else _error_of_mean(self.changes) * left
        return Estimate(self.changes.mean(0), error)

    @property
    def oracle_loss(self) -> Tensor:
        """(units,) C(g_u = 0) - C(g = 1), mean over the N images; above 0: removal hurts. Estimated until whole."""
        return self._estimate.mean

    @property
    def oracle_abs(self) -> Tensor:
        """(units,) |oracle_loss|: the absolute value is taken after the mean over images."""
        return self.oracle_loss.abs()

    @property
    def remaining_error(self) -> Tensor:
        """(units,) standard error of oracle_loss as an estimate of what all N images will give: 0 once whole."""
        return self._estimate.error

    @property
    def standard_error(self) -> Tensor:
        """(units,) of oracle_loss as an estimate of the loss on images in general; infinite for a single image.

        Over images, and until the oracle is whole, with what remains uncertain of these images.
        """
        if self.linear is None:
            return _error_of_mean(self.changes)
        return (_error_of_mean(self.rows).square() + self.remaining_error.square()).sqrt()

    @cached_property
    def expected_agreement(self) -> float:
        """Spearman's correlation to be expected between these ranks and the final ones; 1 once whole."""
        return expected_spearman(self._estimate)

    @property
    def settled(self) -> bool:
        """Whether more images would hardly change the ranks."""
        return self.expected_agreement >= SETTLED


def _error_of_mean(changes: Tensor) -> Tensor:
    """(images, units) -> (units,) standard deviation over images / sqrt(images)."""
    if len(changes) < 2:
        return torch.full_like(changes[0], float("inf"))
    return changes.std(0) / float(len(changes) ** 0.5)
