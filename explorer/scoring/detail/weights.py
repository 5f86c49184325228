"""The weights that write a unit: its kernels, and the batch-norms over it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from explorer.networks.network import Network
from explorer.networks.units import Layer, Units

STRONGEST = 6  # input slices shown


@dataclass(frozen=True, eq=False)
class Kernel:
    """The weights of one unit in one of the convolutions that write it; float64 on the CPU."""

    writer: str
    weights: Tensor  # (k, in, *size): of each of the unit's k channels, over the `in` channels that it reads
    bias: Tensor | None  # (k,)
    reads: Tensor  # (k, in) int64: which of the convolution's input channels these are
    colours: bool  # whether it reads the three colours of the image


@dataclass(frozen=True, eq=False)
class Norm:
    """The learned scale and shift of a batch-norm at a unit's channels, (k,) each."""

    module: str
    scale: Tensor
    shift: Tensor


@dataclass(frozen=True, eq=False)
class KernelPicture:
    """One channel's kernel as planes (h, w): means over time where it has a time axis."""

    whole: np.ndarray  # (h, w, 3) or (h, w) weights of an only input channel; else the mean |weight| over the inputs
    signed: bool  # whether `whole` shows the weights themselves
    channels: tuple[int, ...]  # the input channels with the largest sum of |weights|, largest first
    slices: np.ndarray  # (len(channels), h, w) their weights
    shares: tuple[float, ...]  # of the sum of |weights| of the whole kernel


def locate(units: Units, unit: int) -> tuple[Layer, int]:
    """The layer of a unit, and the unit's place in it."""
    layer = units.layers[int(units.layer_index[unit])]
    return layer, unit - units.slices[layer.name].start


def kernels(network: Network, unit: int) -> tuple[Kernel, ...]:
    """The unit's kernel in each convolution that writes it."""
    layer, place = locate(network.units, unit)
    return tuple(_kernel(network, writer, layer.written(writer)[place]) for writer in layer.writers)


def _kernel(network: Network, writer: str, channels: np.ndarray) -> Kernel:
    conv, chosen = network.module.get_submodule(writer), torch.from_numpy(channels)
    assert isinstance(conv, _ConvNd)
    weights = conv.weight.detach().cpu().double()[chosen]
    bias = None if conv.bias is None else conv.bias.detach().cpu().double()[chosen]
    inputs = weights.shape[1]
    group = torch.div(chosen, conv.out_channels // conv.groups, rounding_mode="floor")
    reads = group[:, None] * inputs + torch.arange(inputs)
    unread = writer not in network.units.gate_maps
    colours = unread and conv.groups == 1 and inputs == 3 and network.input_shape[0] == 3
    return Kernel(writer, weights, bias, reads, colours)


def norms(network: Network, unit: int) -> tuple[Norm, ...]:
    """The batch-norms over the unit that have a scale and a shift."""
    layer, place = locate(network.units, unit)
    found = []
    for coupling in layer.couplings:
        module = network.module.get_submodule(coupling.module)
        if isinstance(module, _BatchNorm) and module.affine:
            scale, shift = (t.detach().cpu().double()[coupling.channels[place]] for t in (module.weight, module.bias))
            found.append(Norm(coupling.module, scale, shift))
    return tuple(found)


def kernel_picture(kernel: Kernel, channel: int = 0, count: int = STRONGEST) -> KernelPicture:
    """The picture of one of the unit's k channels.

    Three colours as they are, one input channel too; of more inputs the mean |weight|, and the `count` strongest.
    """
    weights = kernel.weights[channel]  # (in, *size)
    if len(weights) == 1 or kernel.colours:
        planes = _planes(weights)
        return KernelPicture(planes[0] if len(weights) == 1 else np.moveaxis(planes, 0, -1), True, (), planes[:0], ())
    sizes = weights.abs().flatten(1).sum(1)
    order = sizes.argsort(descending=True, stable=True)[:count]
    shares = (sizes / sizes.sum().clamp(min=torch.finfo(sizes.dtype).tiny))[order]
    return KernelPicture(
        whole=_planes(weights.abs()).mean(0),
        signed=False,
        channels=tuple(kernel.reads[channel][order].tolist()),
        slices=_planes(weights[order]),
        shares=tuple(shares.tolist()),
    )


def _planes(weights: Tensor) -> np.ndarray:
    """(n, *size) -> (n, h, w)."""
    flat = weights[:, None] if weights.dim() == 2 else weights
    return (flat.flatten(1, -3).mean(1) if flat.dim() > 3 else flat).numpy()


def source(units: Units, reader: str, channel: int) -> int | None:
    """The unit behind an input channel of a convolution; None if it belongs to no unit, like an image's colours."""
    behind = units.gate_maps.get(reader)
    found = len(units) if behind is None else int(behind[channel])
    return found if found < len(units) else None
