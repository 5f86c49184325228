"""Surgery: removed units leave the network for good."""

from __future__ import annotations

import copy
import hashlib
from collections import defaultdict
from dataclasses import replace

import numpy as np
from torch import Tensor, nn

from explorer.core.errors import BadInput
from explorer.networks.layer_kinds import kind_of
from explorer.networks.network import Network
from explorer.networks.units import Coupling, Units


def prune(network: Network, removed: Tensor) -> Network:
    """The network without the removed units: a smaller one of its own; the input stays as it is.

    removed: (units,) bool, True = goes. The units that stay keep their original channel indices. Raises BadInput if a
    layer would be left without any channel.
    """
    gone = removed.cpu().numpy()
    for layer in network.units.layers:
        if gone[network.units.slices[layer.name]].all():
            raise BadInput(f"Layer {layer.name} would lose all its {len(layer)} units; at least one must stay.")
    digest = hashlib.sha256(network.digest.encode() + np.packbits(gone).tobytes()).hexdigest()
    return replace(
        network,
        module=cut(network.module, network.units, gone),
        units=renumber(network.units, gone),
        digest=digest,
    )


def cut(module: nn.Module, units: Units, gone: np.ndarray) -> nn.Module:
    """A copy of `module` whose layers have lost the channels of the units where `gone` (units,) is True."""
    module = copy.deepcopy(module)
    for (name, side), channels in removed_channels(units, gone).items():
        if len(channels):
            _cut_layer(module.get_submodule(name), side, channels)
    return module.requires_grad_(False).eval()


def _cut_layer(layer: nn.Module, side: str, channels: np.ndarray) -> None:
    fixed = set(dict(layer.named_buffers(recurse=False)))
    kind = kind_of(layer)
    assert kind is not None, "units are of layers that lose channels"
    kind.cut(layer, side, channels)
    for name in fixed & set(dict(layer.named_parameters(recurse=False))):  # torch-pruning makes parameters of buffers
        kernel = getattr(layer, name).detach()
        delattr(layer, name)
        layer.register_buffer(name, kernel, persistent=False)


def removed_channels(units: Units, gone: np.ndarray) -> dict[tuple[str, str], np.ndarray]:
    """(module, side) -> the sorted channels that it loses."""
    lost: dict[tuple[str, str], list[np.ndarray]] = defaultdict(list)
    for layer in units.layers:
        here = gone[units.slices[layer.name]]
        for coupling in layer.couplings:
            lost[coupling.module, coupling.side].append(coupling.channels[here].ravel())
    return {place: np.unique(np.concatenate(channels)) for place, channels in lost.items()}


def renumber(units: Units, gone: np.ndarray) -> Units:
    """The units that stay, with their places counted in the pruned network."""
    lost = removed_channels(units, gone)
    layers = []
    for layer in units.layers:
        stay = ~gone[units.slices[layer.name]]
        couplings = tuple(_renumbered(c, stay, lost[c.module, c.side]) for c in layer.couplings)
        channels = tuple(np.array(layer.channels)[stay].tolist())
        layers.append(replace(layer, channels=channels, couplings=couplings))
    return Units(tuple(layers), units.unprunable)


def _renumbered(coupling: Coupling, stay: np.ndarray, lost: np.ndarray) -> Coupling:
    kept = coupling.channels[stay]
    return replace(coupling, width=coupling.width - len(lost), channels=kept - np.searchsorted(lost, kept))
