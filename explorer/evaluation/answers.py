"""Answers to one image: of a network with many plans in turn, in one pass."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from explorer.networks.gates import Gated, open_gates
from explorer.networks.network import Network

AT_ONCE = 32  # plans in a pass


def answers(network: Network, x: Tensor, plans: Tensor) -> Tensor:
    """(P, classes) float64 probabilities of an image x (C, H, W), the gates of each plan (P, units) bool closed."""
    return network.loss.probabilities(logits_under(network, x, plans))


@torch.no_grad()
def logits_under(network: Network, x: Tensor, plans: Tensor) -> Tensor:
    """(P, classes) float64 logits of the same.

    In eval mode an image's answer does not depend on the others in a batch, so each plan is a row of one batch.
    """
    return torch.cat(list(_logits(network, x, plans)))


def _logits(network: Network, x: Tensor, plans: Tensor) -> Iterator[Tensor]:
    gated = Gated(network.module, network.units, plans.any(0))
    for some in plans.split(AT_ONCE):
        many = x.expand(len(some), *x.shape).to(gated.device)
        yield gated(many, open_gates(some).to(gated.device)).cpu().double()
