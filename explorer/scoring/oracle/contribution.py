"""A unit's contribution to a layer that reads it: taken away, the layer's output is the one with the gate closed."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.conv import _ConvNd

from explorer.scoring.oracle.rewriting import CONVOLUTIONS


class Contribution:
    """Takes units' contributions out of the output of a convolution without groups, or of a linear layer."""

    def __init__(self, module: nn.Module) -> None:
        assert isinstance(module, _ConvNd | nn.Linear)
        self.module = module
        self.by_channel = module.weight.detach().flatten(2) if isinstance(module, _ConvNd) else module.weight[..., None]
        self.by_channel = self.by_channel.permute(1, 2, 0).contiguous()  # (channels read, kernel, channels written)

    @staticmethod
    def possible(module: nn.Module) -> bool:
        """Whether the layer's output is a sum over the channels that it reads."""
        return type(module) is nn.Linear or (type(module) in CONVOLUTIONS and getattr(module, "groups", 0) == 1)

    def take_from(self, y: Tensor, x: Tensor, channels: Tensor) -> Tensor:
        """Change the layer's outputs to those without some channels of each input.

            y[p] -= sum over k of W[:, channels[p, k]] * x[p, k]

        y: (P, O, ...) outputs with all channels; x: (P, k, ...) the channels alone; channels: (P, k) which they are.
        """
        weights = self.by_channel[channels].flatten(1, 2).to(y.dtype)  # (P, k * kernel, O)
        linear = isinstance(self.module, nn.Linear)
        patches = x[:, None] if linear else self._patches(x)  # (P, positions, k * kernel)
        positions = y[:, None] if linear else y.view(*y.shape[:2], -1).transpose(1, 2)
        with torch.autocast(y.device.type, enabled=False):  # it does not know operations in place
            positions.baddbmm_(patches.to(y.dtype), weights, alpha=-1)
        return y

    def _patches(self, x: Tensor) -> Tensor:
        """(P, k, H, W) -> (P, positions of the output, k * kernel): the inputs of each position of the output."""
        conv = self.module
        assert isinstance(conv, _ConvNd)
        mode = "constant" if conv.padding_mode == "zeros" else conv.padding_mode
        x = F.pad(x, conv._reversed_padding_repeated_twice, mode=mode)
        for k, (size, stride, dilation) in enumerate(zip(conv.kernel_size, conv.stride, conv.dilation, strict=True)):
            x = x.unfold(2 + k, (size - 1) * dilation + 1, stride)[..., ::dilation]
        space = len(conv.kernel_size)
        order = (0, *range(2, 2 + space), 1, *range(2 + space, 2 + 2 * space))
        positions = prod(x.shape[2 : 2 + space])
        return x.permute(order).reshape(len(x), positions, -1)
