"""Costs: parameters and FLOPs of a network, as it is or with units removed, without running or cutting anything.

Convention (Molchanov et al. 2017, appendix): one multiply-add is 2 FLOPs, the bias counts as one more input, and only
convolutions, 2*H*W*(C_in*K^2 + 1)*C_out, and fully connected layers, (2*I - 1)*O, are counted; H, W of the output.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from explorer.networks.coupling import width
from explorer.networks.layer_kinds import depthwise, kind_of
from explorer.networks.network import Network, replica
from explorer.networks.surgery import removed_channels
from explorer.networks.units import Units

FLOPS_CONVENTION = "1 multiply-add = 2 FLOPs; convolutions and fully connected layers, one image"


@dataclass(frozen=True)
class ModuleCost:
    """The cost of one resizable module, as a function of its channels."""

    name: str
    kind: str  # "conv", "linear" or "by channel"
    reads: int  # input channels
    writes: int  # output channels
    groups: int
    kernel: int  # elements of one kernel slice: K*K for a 2-D convolution; of others, parameters of a channel
    positions: int  # H*W of the output, 1 for a linear layer, times the parts that an image is folded into
    bias: bool
    depthwise: bool
    learned: bool  # whether the kernel is a parameter: a fixed one is not counted among them

    def parameters(self, reads: int, writes: int) -> int:
        """Number of parameters with so many channels left."""
        if not self.learned:
            return 0
        if self.kind == "by channel":
            return self.kernel * writes
        return writes * (self._fan_in(reads) + self.bias)

    def flops(self, reads: int, writes: int) -> int:
        """FLOPs of one image with so many channels left."""
        if self.kind == "conv":
            return 2 * self.positions * (self._fan_in(reads) + 1) * writes
        return (2 * reads - 1) * writes * self.positions if self.kind == "linear" else 0

    def activations(self, reads: int, writes: int) -> int:
        """Elements of a convolution's output, one image, with so many channels left."""
        return self.positions * writes if self.kind == "conv" else 0

    def _fan_in(self, reads: int) -> int:
        return self.kernel * (1 if self.depthwise else reads // self.groups)


@dataclass(frozen=True, eq=False)
class Costs:
    """The cost model of one network."""

    units: Units
    modules: tuple[ModuleCost, ...]
    other_parameters: int  # of layers that pruning never resizes

    def widths(self, removed: Tensor | None = None) -> dict[str, tuple[int, int]]:
        """Module name -> (channels read, channels written) once the units where `removed` (units,) is True are gone."""
        gone = np.zeros(len(self.units), bool) if removed is None else removed.cpu().numpy()
        lost = {place: len(channels) for place, channels in removed_channels(self.units, gone).items()}
        return {m.name: _width_left(m, lost) for m in self.modules}

    def parameters(self, removed: Tensor | None = None) -> int:
        """Number of parameters."""
        return self.other_parameters + sum(self.parameters_by_module(removed).values())

    def flops(self, removed: Tensor | None = None) -> int:
        """FLOPs of one image."""
        return sum(self.flops_by_module(removed).values())

    def parameters_by_module(self, removed: Tensor | None = None) -> dict[str, int]:
        """Parameters of each resizable module."""
        widths = self.widths(removed)
        return {m.name: m.parameters(*widths[m.name]) for m in self.modules}

    def flops_by_module(self, removed: Tensor | None = None) -> dict[str, int]:
        """FLOPs of each convolution and linear layer, one image."""
        widths = self.widths(removed)
        return {m.name: m.flops(*widths[m.name]) for m in self.modules if m.kind != "by channel"}

    def activations(self, removed: Tensor | None = None) -> int:
        """Elements of all convolutions' outputs, one image: batch-norm and activation are counted as in place."""
        widths = self.widths(removed)
        return sum(m.activations(*widths[m.name]) for m in self.modules)

    def savings(self, total: Callable[[Tensor], int], removed: Tensor) -> Tensor:
        """(units,) how much less `total` of the plan is with one more unit of the layer gone, wherever that shows.

        total: `flops`, `parameters` or `activations`. All units of a layer cost the same.
        """
        now, by_layer = total(removed), []
        for place in self.units.slices.values():
            one_more = removed.clone()
            one_more[place.start + int((~removed[place]).int().argmax())] = True
            by_layer.append(now - total(one_more))
        return torch.tensor(by_layer, dtype=torch.float64)[self.units.layer_index]

    def unit_flops(self) -> Tensor:
        """(units,) FLOPs that the convolutions writing each feature map spend on it: the price in eq. 9."""
        by_name = {m.name: m for m in self.modules}
        prices = [
            sum(by_name[w].flops(by_name[w].reads, layer.written(w).shape[1]) for w in layer.writers)
            for layer in self.units.layers
        ]
        return torch.tensor(prices, dtype=torch.float64)[self.units.layer_index]


def _width_left(module: ModuleCost, lost: Mapping[tuple[str, str], int]) -> tuple[int, int]:
    writes = module.writes - lost.get((module.name, "out"), 0)
    if module.depthwise or module.kind == "by channel":
        return writes, writes
    return module.reads - lost.get((module.name, "in"), 0), writes


def measure_costs(network: Network) -> Costs:
    """The cost model of a network, from one forward pass that records output sizes."""
    body = replica(network.module)
    costs: dict[str, ModuleCost] = {}
    for name, module in body.named_modules():
        if kind_of(module):
            module.register_forward_hook(lambda m, _, out, name=name: costs.update({name: _cost(name, m, out)}))
    with torch.no_grad():
        body(torch.zeros(1, *network.input_shape, device=network.device))
    counted = sum(m.parameters(m.reads, m.writes) for m in costs.values())
    total = sum(p.numel() for p in network.module.parameters())
    return Costs(network.units, tuple(costs.values()), total - counted)


def _cost(name: str, module: nn.Module, out: Tensor) -> ModuleCost:
    kind, groups, positions = "by channel", 1, 1
    kernel = sum(p.dim() == 1 and len(p) == width(module, "out") for p in module.parameters(recurse=False))
    if isinstance(module, _ConvNd):
        kind, groups, kernel = "conv", module.groups, prod(module.kernel_size)
        positions = len(out) * prod(out.shape[2:])
    elif isinstance(module, nn.Linear):
        kind, kernel, positions = "linear", 1, prod(out.shape[:-1])
    return ModuleCost(
        name=name,
        kind=kind,
        reads=width(module, "in"),
        writes=width(module, "out"),
        groups=groups,
        kernel=kernel,
        positions=positions,
        bias=getattr(module, "bias", None) is not None,
        depthwise=depthwise(module),
        learned=isinstance(getattr(module, "weight", None), nn.Parameter),
    )
