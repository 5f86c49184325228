"""Losses: by which a network is judged and trained, one row each; every network carries its own.

Another task comes in by a row of its own, given to the networks of that task.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Loss:
    """A loss C of logits (N, classes) against labels (N,) int64, and how it moves with the logits."""

    name: str
    unit: str
    function: Callable[..., Tensor]
    """(logits, labels, reduction="mean" | "sum" | "none") -> () or (N,), as torch's own losses are called."""
    probabilities: Callable[[Tensor], Tensor]
    """Logits (N, classes) -> p, the same shape: the Hessian of C in the logits is diag(p) - p p^T."""
    change: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
    """(logits, labels, followed (N, K) int64, shifts (N, K, M)) -> (N, M): C(logits - shift) - C(logits), for each of
    M shifts of the K followed classes' logits; the others stay."""

    def of_images(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(N,) the loss of each image."""
        return self.function(logits, labels, reduction="none")

    def mean(self, logits: Tensor, labels: Tensor) -> Tensor:
        """() over the images."""
        return self.function(logits, labels, reduction="mean")

    def sum(self, logits: Tensor, labels: Tensor) -> Tensor:
        """() over the images: its gradient in what belongs to one image is that of the image's own loss."""
        return self.function(logits, labels, reduction="sum")


def _softmax(logits: Tensor) -> Tensor:
    return logits.softmax(1)


def _cross_entropy_change(logits: Tensor, labels: Tensor, followed: Tensor, shifts: Tensor) -> Tensor:
    """log(sum over c of exp(logits_c - shift_c)) + shift of the label - log(sum over c of exp(logits_c))."""
    known = logits.gather(1, followed)  # (N, K)
    rest = logits.scatter(1, followed, float("-inf")).logsumexp(1)  # of the logits that stay
    moved = known[:, :, None] - shifts
    own = torch.where((followed == labels[:, None])[:, :, None], shifts, 0.0).sum(1)
    return torch.logaddexp(moved.logsumexp(1), rest[:, None]) + own - logits.logsumexp(1)[:, None]


CROSS_ENTROPY = Loss("cross-entropy", "nats", F.cross_entropy, _softmax, _cross_entropy_change)
