"""Kinds of layers that lose channels: what each reads and writes, and how channels are cut out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch_pruning as tp
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd
from torch.nn.modules.instancenorm import _InstanceNorm


@dataclass(frozen=True)
class LayerKind:
    """A kind of layer: the attributes that count its channels, and what removes some of them on a side."""

    reads: str
    writes: str
    cut: Callable[[nn.Module, str, np.ndarray], object]  # (layer, "in" or "out", sorted channels)
    by_channel: bool = False  # whether it does the same thing to each channel, and writes those that it reads

    def width(self, layer: nn.Module, side: str) -> int:
        """Channels that a layer of this kind reads ("in") or writes ("out")."""
        return int(getattr(layer, self.reads if side == "in" else self.writes))


def kind_of(layer: nn.Module) -> LayerKind | None:
    """The kind of a layer; None for one without channels of its own."""
    if isinstance(layer, nn.PReLU) and layer.num_parameters == 1:
        return None
    return next((kind for types, kind in KINDS.items() if isinstance(layer, types)), None)


def by_channel(layer: nn.Module) -> bool:
    """Whether the layer has channels of its own, and writes those that it reads."""
    kind = kind_of(layer)
    return kind is not None and kind.by_channel


def depthwise(layer: nn.Module) -> bool:
    """Whether each channel has a kernel of its own, so that its input and output channels go together."""
    return isinstance(layer, _ConvNd) and layer.groups > 1 and layer.groups == layer.in_channels == layer.out_channels


def _of_convolution(layer: nn.Module, side: str, channels: np.ndarray) -> None:
    remove = tp.prune_conv_in_channels if side == "in" else tp.prune_conv_out_channels
    (tp.prune_depthwise_conv_out_channels if depthwise(layer) else remove)(layer, channels.tolist())


def _of_linear(layer: nn.Module, side: str, channels: np.ndarray) -> None:
    (tp.prune_linear_in_channels if side == "in" else tp.prune_linear_out_channels)(layer, channels.tolist())


def _by(counted: str) -> LayerKind:
    """The kind of a layer whose tensors have one entry a channel."""

    def cut(layer: nn.Module, side: str, channels: np.ndarray) -> None:
        width = getattr(layer, counted)
        keep = np.delete(np.arange(width), channels)
        for name, tensor in [*layer.named_parameters(recurse=False), *layer.named_buffers(recurse=False)]:
            if tensor.shape == (width,):
                kept = tensor.detach()[keep].clone()
                setattr(layer, name, nn.Parameter(kept) if isinstance(tensor, nn.Parameter) else kept)
        if isinstance(layer, nn.GroupNorm):
            layer.num_groups -= len(channels) // (width // layer.num_groups)
        setattr(layer, counted, len(keep))

    return LayerKind(counted, counted, cut, by_channel=True)


KINDS: Mapping[type[nn.Module] | tuple[type[nn.Module], ...], LayerKind] = {
    _ConvNd: LayerKind("in_channels", "out_channels", _of_convolution),
    nn.Linear: LayerKind("in_features", "out_features", _of_linear),
    (_BatchNorm, _InstanceNorm): _by("num_features"),
    nn.GroupNorm: _by("num_channels"),
    nn.PReLU: _by("num_parameters"),
}
