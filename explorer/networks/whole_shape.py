"""Regrowth: weights that were trained in a pruned network, back in their places in the whole one."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from explorer.networks.network import Network, with_weights_of
from explorer.networks.surgery import cut


def regrown(network: Network, pruned: Network, removed: Tensor) -> Network:
    """The network with the weights of what was pruned from it and has been trained since.

    pruned: has the layers of prune(network, removed). With the gates of `removed` (units,) closed, the result computes
    what `pruned` computes; the removed units' own weights stay those of `network`. Neither input is changed.
    """
    places = cut(_numbered(network.module), network.units, removed.cpu().numpy()).state_dict()
    module, trained = copy.deepcopy(network.module), pruned.module.state_dict()
    for name, value in module.state_dict().items():
        flat = value.reshape(-1).clone()
        flat[places[name].reshape(-1).long().to(flat.device)] = trained[name].reshape(-1).to(flat.device)
        value.copy_(flat.view(value.shape))
    return with_weights_of(network, module)


def _numbered(module: nn.Module) -> nn.Module:
    """A copy in which each weight is its own place in its tensor: float64, exact for 2^53 of them."""
    module = copy.deepcopy(module).cpu().double()
    for value in module.state_dict().values():
        value.copy_(torch.arange(value.numel()).view(value.shape))
    return module
