"""Distillation: a network that learns from another one's answers, besides the labels."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import kl_div

from explorer.core.errors import BadInput
from explorer.networks.losses import Loss
from explorer.networks.network import replica

Objective = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Images x (B, C, ...), the network's logits of them (B, classes), labels y (B,) -> what to descend, ()."""


def objective(loss: Loss, teacher: nn.Module | None, weight: float, temperature: float) -> Objective:
    """The mean loss, mixed with what the teacher says where `weight` is above 0.

    The teacher runs in eval mode without gradients, and is never changed. Raises BadInput if one is missing, or answers
    with other classes than the network.
    """
    if weight == 0:
        return lambda x, logits, y: loss.mean(logits, y)
    if teacher is None:
        raise BadInput(f"distillation {weight:g} needs a teacher: the network whose answers are learned.")
    wise = replica(teacher).eval()

    def mixed(x: Tensor, logits: Tensor, y: Tensor) -> Tensor:
        with torch.no_grad():
            teacher_logits = wise(x)
        if teacher_logits.shape != logits.shape:
            raise BadInput(
                f"the teacher has {teacher_logits.shape[1]} outputs, the network {logits.shape[1]}: they must agree."
            )
        return distilled(loss, logits, teacher_logits, y, weight, temperature)

    return mixed


def distilled(
    loss: Loss, logits: Tensor, teacher_logits: Tensor, y: Tensor, weight: float, temperature: float
) -> Tensor:
    """The loss of logits (B, classes) against labels y (B,), mixed with their distance from the teacher's.

        (1 - weight) * loss + weight * T^2 * mean over images of KL(softmax(teacher_logits / T) || softmax(logits / T))

    (); T^2 keeps the size of the gradient as the temperature changes. Hinton et al. 2015, arXiv:1503.02531.
    """
    soft, target = ((values / temperature).log_softmax(1) for values in (logits, teacher_logits))
    divergence = kl_div(soft, target, reduction="batchmean", log_target=True)
    return (1 - weight) * loss.mean(logits, y) + weight * temperature**2 * divergence
