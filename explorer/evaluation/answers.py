"""Answers to one image: of a network with many plans in turn, in one pass."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from explorer.networks.gates import Gated, open_gates
from explorer.networks.network import Network

AT_ONCE = 32  # plans in a pass


@torch.no_grad()
def answers(network: Network, x: Tensor, plans: Tensor) -> Tensor:
    """(P, classes) float64 probabilities of an image x (C, H, W), with the gates of each plan (P, units) bool closed.

    In eval mode an image's answer does not depend on the others in a batch, so each plan is a row of one batch.
    """
    return torch.cat(list(_answers(network, x, plans)))


def _answers(network: Network, x: Tensor, plans: Tensor) -> Iterator[Tensor]:
    gated = Gated(network.module, network.units, plans.any(0))
    for some in plans.split(AT_ONCE):
        many = x.expand(len(some), *x.shape).to(gated.device)
        logits = gated(many, open_gates(some).to(gated.device))
        yield network.loss.probabilities(logits.cpu().double())
