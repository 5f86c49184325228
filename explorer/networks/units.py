"""Units: each is closed by one pruning gate.

A *unit* is one index of one layer's coupled channels: a feature map of a plain convolution, or the channel
that several convolutions add to. Everything about it is kept as plain index arrays, so that gates, counting
and surgery need nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

Label = tuple[str, int]
"""A unit: its layer, and its channel in the network as loaded."""


@dataclass(frozen=True, eq=False)
class Coupling:
    """The channels of one module that belong to each unit of a layer.

    channels has shape (units, k): the k channels of `module` that go when the unit goes. k is 1 for a plain
    convolution or batch-norm, and H*W for a linear layer behind a flatten.
    """

    module: str
    side: str  # "out": channels that the module writes; "in": channels that it reads
    width: int  # all channels of the module on that side
    channels: np.ndarray


@dataclass(frozen=True, eq=False)
class Layer:
    """One set of coupled channels, named after the first convolution that writes it."""

    name: str
    channels: tuple[int, ...]  # each unit's channel index in the network as loaded, before any surgery
    writers: tuple[str, ...]  # the convolutions that write these feature maps; `name` is the first
    consumers: tuple[str, ...]  # the convolutions and linear layers that read them: where the gates sit
    couplings: tuple[Coupling, ...]  # every module that surgery must resize
    width_before: int  # units before any pruning, also that of which the network's own file tells

    def __len__(self) -> int:
        return len(self.channels)

    def written(self, writer: str) -> np.ndarray:
        """(units, k): the output channels of one of the writers that make up each unit."""
        return next(c.channels for c in self.couplings if (c.module, c.side) == (writer, "out"))


@dataclass(frozen=True, eq=False)
class Units:
    """All prunable units of a network in one global order: layer by layer, channel by channel."""

    layers: tuple[Layer, ...]
    unprunable: Mapping[str, str]  # layer name -> the reason, one sentence

    def __len__(self) -> int:
        return sum(len(layer) for layer in self.layers)

    @cached_property
    def slices(self) -> dict[str, slice]:
        """Layer name -> its place in the global order."""
        ends = np.cumsum([0, *(len(layer) for layer in self.layers)]).tolist()
        return {layer.name: slice(*ends[i : i + 2]) for i, layer in enumerate(self.layers)}

    @cached_property
    def layer_index(self) -> Tensor:
        """(units,) int64: the layer of each unit, counted from 0."""
        return torch.repeat_interleave(torch.tensor([len(layer) for layer in self.layers], dtype=torch.int64))

    @cached_property
    def labels(self) -> tuple[tuple[str, int], ...]:
        """(layer name, original channel index) of each unit."""
        return tuple((layer.name, channel) for layer in self.layers for channel in layer.channels)

    def by_layer(self, values: Tensor) -> dict[str, Tensor]:
        """One value a unit, (units, ...), as one tensor a layer."""
        return {name: values[place] for name, place in self.slices.items()}

    @cached_property
    def gate_maps(self) -> dict[str, Tensor]:
        """Consumer -> (input channels,) int64: the unit behind each channel, or `len(self)` where there is none."""
        maps: dict[str, Tensor] = {}
        for layer in self.layers:
            index = torch.arange(len(self))[self.slices[layer.name], None]
            for reader in layer.couplings:
                if reader.side == "in" and reader.module in layer.consumers:
                    units = maps.setdefault(reader.module, torch.full((reader.width,), len(self)))
                    units[torch.from_numpy(reader.channels)] = index.expand(reader.channels.shape)
        return maps


def none_removed(units: Units) -> Tensor:
    """The plan that removes no unit."""
    return torch.zeros(len(units), dtype=torch.bool)


def newly_removed(units: Units, before: Tensor, after: Tensor) -> tuple[Label, ...]:
    """The units that the plan `after` (units,) removes beyond those of `before`."""
    return tuple(units.labels[unit] for unit in (after & ~before).nonzero()[:, 0].tolist())
