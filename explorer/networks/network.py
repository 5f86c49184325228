"""A loaded network: the value that every later step reads and none changes."""

from __future__ import annotations

import copy
import hashlib
from dataclasses import dataclass, replace

import torch
from torch import nn

from explorer.data.preprocessing import Preprocessing
from explorer.networks.losses import CROSS_ENTROPY, Loss
from explorer.networks.units import Units


@dataclass(frozen=True, eq=False)
class Network:
    """A classification network in eval mode with frozen weights, and what is known of it.

    `module` is shared between browser sessions: run it through `replica`, change it never.
    """

    name: str
    arch: str  # "explorer:vgg_small", "torchvision:vgg16", "package.module:factory", or "graph" for a reloaded export
    module: nn.Module
    units: Units
    input_shape: tuple[int, ...]  # (C, H, W) of one image after preprocessing, (C, T, H, W) of a clip
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    digest: str  # SHA-256 of architecture, weights and preprocessing: the key of every cached result
    remark: str = ""  # a sentence on its outputs, where they are not the logits as they come
    origin: str = ""  # a sentence on what was taken from its file and what was left, where that is not all
    loss: Loss = CROSS_ENTROPY  # for evaluation and training

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return next(self.module.parameters()).device

    def to(self, device: torch.device) -> Network:
        """The same network on another device; the original stays where it is."""
        return self if device == self.device else replace(self, module=copy.deepcopy(self.module).to(device))


def replica(module: nn.Module) -> nn.Module:
    """A copy of the module's structure that shares its tensors: hooks set on it touch no other copy."""
    shared = {id(t): t for t in (*module.parameters(), *module.buffers())}
    return copy.deepcopy(module, shared)


def fingerprint(arch: str, module: nn.Module, preprocessing: Preprocessing) -> str:
    """SHA-256 over architecture, preprocessing, and every weight's name, shape and bytes."""
    digest = hashlib.sha256(f"{arch} {preprocessing}".encode())
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


def with_weights_of(network: Network, module: nn.Module) -> Network:
    """The same network with trained weights: `module` has the same layers and is in eval mode, frozen."""
    return replace(network, module=module, digest=fingerprint(network.arch, module, network.preprocessing))
