"""One image: what each unit does for the network's answer to it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.networks.network import Network
from explorer.scoring.linearise import linear_change, linearised
from explorer.scoring.oracle import Ablator, Incremental
from explorer.scoring.oracle.ablator import Done, ignore
from explorer.scoring.oracle.program import Untraceable


@dataclass(frozen=True, eq=False)
class ImageEffects:
    """The effect of every unit on the loss of one image."""

    loss: float  # of the image, all gates open; in the loss's unit
    changes: Tensor  # (units,) float64: C(g_u = 0) - C(g = 1); above 0: the unit helps
    exact: bool  # each measured with its gate closed, or from one linearisation


def measured_effects(network: Network, ablator: Ablator, x: Tensor, label: int, done: Done = ignore) -> ImageEffects:
    """Of an image x (C, H, W), should it be of this class: one gate closed after the other, exact.

    ablator: of the same network, see `ablator_for`.
    """
    y = torch.tensor([label])
    return ImageEffects(_loss(network, x[None], y), ablator.changes(x[None], y, done)[0], True)


def linearised_effects(network: Network, x: Tensor, label: int) -> ImageEffects:
    """The same to first order in the logits, from a backward pass a class: see `linear_change`."""
    found = linearised(network, x[None], torch.tensor([label]))
    loss = network.loss.mean(found.logits, found.labels)
    return ImageEffects(float(loss), linear_change(found)[0], False)


def ablation_flops(network: Network, whole: int) -> int:
    """FLOPs that measuring every unit on one image takes at most; whole: of a forward pass of the network."""
    try:
        layers = Incremental(network).parts
    except Untraceable:
        return whole * len(network.units)
    return sum(len(layer) * max(part.flops for part in parts) for layer, parts in layers.items())


@torch.no_grad()
def _loss(network: Network, x: Tensor, y: Tensor) -> float:
    return float(network.loss.mean(network.module(x.to(network.device)).cpu().double(), y))
