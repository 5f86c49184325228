"""Kernels: measures of a unit's weights, without running the network. Everything is (units,), float64, CPU."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from explorer.networks.network import Network
from explorer.networks.units import Layer


@dataclass(frozen=True, eq=False)
class Kernels:
    """Sizes of the kernels that write each unit, averaged over the convolutions that do; biases are not counted."""

    mean_square: Tensor  # (1 / |w_u|) * sum of w^2
    l1: Tensor  # sum of |w|


def read_kernels(network: Network) -> Kernels:
    """The sizes of every unit's kernel."""
    return Kernels(_of_each(network, lambda w: w.square().mean(1)), _of_each(network, lambda w: w.abs().sum(1)))


def kernel_distances(network: Network) -> Tensor:
    """(units,) sum over the layer's units v of ||w_u - w_v||, averaged over the convolutions that write the layer."""
    return _of_each(network, lambda w: torch.cdist(w, w).sum(1))


def _of_each(network: Network, size: Callable[[Tensor], Tensor]) -> Tensor:
    """size: (units, weights) of a layer in one convolution -> (units,)."""
    layers = []
    for layer in network.units.layers:
        layers.append(torch.stack([size(_kernels(network, layer, writer)) for writer in layer.writers]).mean(0))
    return torch.cat(layers)


def _kernels(network: Network, layer: Layer, writer: str) -> Tensor:
    weight: Tensor = getattr(network.module.get_submodule(writer), "weight")  # noqa: B009
    channels = torch.from_numpy(layer.written(writer))  # (units, k)
    return weight.detach().cpu().double()[channels].flatten(1)


def batchnorm_scales(network: Network) -> Tensor | None:
    """(units,) mean |gamma| of the batch-norms over the unit's channels; None if a layer has none."""
    if without_batchnorm(network):
        return None
    scales = []
    for layer in network.units.layers:
        gammas = [g.abs()[torch.from_numpy(c)].mean(1) for g, c in _gammas(network, layer)]
        scales.append(torch.stack(gammas).mean(0))
    return torch.cat(scales)


def without_batchnorm(network: Network) -> str | None:
    """A sentence that names the layers without a batch-norm with a scale; None if there are none."""
    bare = [layer.name for layer in network.units.layers if not _gammas(network, layer)]
    if not bare:
        return None
    which = f"layer {bare[0]} of {network.name} has"
    if len(bare) > 1:
        which = f"layer {bare[0]} and {len(bare) - 1} more of {network.name} have"
    return f"{which} no batch-norm with a scale"


def _gammas(network: Network, layer: Layer) -> list[tuple[Tensor, np.ndarray]]:
    """Scale and unit channels of each affine batch-norm over a layer's units."""
    found = []
    for coupling in layer.couplings:
        module = network.module.get_submodule(coupling.module)
        if isinstance(module, _BatchNorm) and module.affine:
            found.append((module.weight.detach().cpu().double(), coupling.channels))
    return found
