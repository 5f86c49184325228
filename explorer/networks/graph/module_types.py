"""The layers that an exported graph may hold, each argument of their constructors with the kind that it must be of.

A name that is not in the table is never looked up anywhere else, so a file can reach nothing beyond this page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import nn

from explorer.networks.graph.kinds import (
    AMOUNT,
    COUNT,
    FINITE,
    FLAG,
    MARGINS,
    NODE,
    NUMBER,
    PLACE,
    SHARE,
    SIDES,
    Signature,
    either,
    one_of,
    one_or_row,
    optional,
    row,
    takes,
)


@dataclass(frozen=True)
class ModuleType:
    """A torch.nn class and those of its constructor's arguments that its instances keep as attributes."""

    build: Callable[..., nn.Module]
    arguments: Signature


_PADDING_MODE = one_of("zeros", "reflect", "replicate", "circular")
_CONVOLUTION = {
    **takes(in_channels=COUNT, out_channels=COUNT, kernel_size=SIDES, stride=SIDES),
    **takes(padding=either(MARGINS, one_of("same", "valid")), dilation=SIDES, groups=COUNT, bias=FLAG),
}
_NORM = takes(num_features=COUNT, eps=FINITE, momentum=optional(FINITE), affine=FLAG, track_running_stats=FLAG)
_RECURRENT = {
    **takes(input_size=COUNT, hidden_size=COUNT, num_layers=COUNT, bias=FLAG, batch_first=FLAG, dropout=SHARE),
    **takes(bidirectional=FLAG),
}
_POOL = takes(kernel_size=SIDES, stride=optional(SIDES), padding=MARGINS)
_MAX_POOL = {**_POOL, **takes(dilation=SIDES, return_indices=FLAG, ceil_mode=FLAG)}
_AVG_POOL = {**_POOL, **takes(ceil_mode=FLAG, count_include_pad=FLAG, divisor_override=optional(COUNT))}
_OUTPUT = takes(output_size=optional(either(COUNT, row(optional(COUNT), 1, 3))))
_DROPOUT = takes(p=SHARE, inplace=FLAG)
_INPLACE = takes(inplace=FLAG)
_BORDER = takes(padding=either(PLACE, row(PLACE, 4, 4)))
_FACTORS = optional(one_or_row(FINITE, 1, 3))
_MODE = one_of("nearest", "linear", "bilinear", "bicubic", "trilinear", "nearest-exact", "area")

_ARGUMENTS: Mapping[Callable[..., nn.Module], Signature] = {
    nn.Conv1d: {**_CONVOLUTION, **takes(padding_mode=_PADDING_MODE)},
    nn.Conv2d: {**_CONVOLUTION, **takes(padding_mode=_PADDING_MODE)},
    nn.Conv3d: {**_CONVOLUTION, **takes(padding_mode=_PADDING_MODE)},
    nn.ConvTranspose2d: {**_CONVOLUTION, **takes(padding=MARGINS, output_padding=MARGINS, padding_mode=_PADDING_MODE)},
    nn.Linear: takes(in_features=COUNT, out_features=COUNT, bias=FLAG),
    nn.BatchNorm1d: _NORM,
    nn.BatchNorm2d: _NORM,
    nn.BatchNorm3d: _NORM,
    nn.RNN: {**_RECURRENT, **takes(nonlinearity=one_of("tanh", "relu"))},
    nn.GRU: _RECURRENT,
    nn.LSTM: {**_RECURRENT, **takes(proj_size=AMOUNT)},
    nn.LayerNorm: takes(normalized_shape=row(COUNT, 1, 8), eps=FINITE, elementwise_affine=FLAG, bias=FLAG),
    nn.GroupNorm: takes(num_groups=COUNT, num_channels=COUNT, eps=FINITE, affine=FLAG),
    nn.InstanceNorm2d: _NORM,
    nn.LocalResponseNorm: takes(size=COUNT, alpha=FINITE, beta=FINITE, k=FINITE),
    nn.ReLU: _INPLACE,
    nn.ReLU6: _INPLACE,
    nn.LeakyReLU: {**takes(negative_slope=FINITE), **_INPLACE},
    nn.PReLU: takes(num_parameters=COUNT),
    nn.ELU: {**takes(alpha=FINITE), **_INPLACE},
    nn.CELU: {**takes(alpha=FINITE), **_INPLACE},
    nn.SELU: _INPLACE,
    nn.SiLU: _INPLACE,
    nn.Mish: _INPLACE,
    nn.GELU: takes(approximate=one_of("none", "tanh")),
    nn.Hardswish: _INPLACE,
    nn.Hardsigmoid: _INPLACE,
    nn.Hardtanh: {**takes(min_val=NUMBER, max_val=NUMBER), **_INPLACE},
    nn.Softplus: takes(beta=FINITE, threshold=FINITE),
    nn.Sigmoid: {},
    nn.Tanh: {},
    nn.Softmax: takes(dim=optional(PLACE)),
    nn.LogSoftmax: takes(dim=optional(PLACE)),
    nn.MaxPool1d: _MAX_POOL,
    nn.MaxPool2d: _MAX_POOL,
    nn.MaxPool3d: _MAX_POOL,
    nn.AvgPool2d: _AVG_POOL,
    nn.AvgPool3d: _AVG_POOL,
    nn.AdaptiveAvgPool1d: _OUTPUT,
    nn.AdaptiveAvgPool2d: _OUTPUT,
    nn.AdaptiveAvgPool3d: _OUTPUT,
    nn.AdaptiveMaxPool2d: {**_OUTPUT, **takes(return_indices=FLAG)},
    nn.Dropout: _DROPOUT,
    nn.Dropout1d: _DROPOUT,
    nn.Dropout2d: _DROPOUT,
    nn.Dropout3d: _DROPOUT,
    nn.AlphaDropout: _DROPOUT,
    nn.Identity: {},
    nn.Flatten: takes(start_dim=PLACE, end_dim=PLACE),
    nn.Unflatten: takes(dim=PLACE, unflattened_size=row(PLACE, 1, 8)),
    nn.ZeroPad2d: _BORDER,
    nn.ReflectionPad2d: _BORDER,
    nn.ReplicationPad2d: _BORDER,
    nn.ConstantPad2d: {**_BORDER, **takes(value=NUMBER)},
    nn.PixelShuffle: takes(upscale_factor=COUNT),
    nn.PixelUnshuffle: takes(downscale_factor=COUNT),
    nn.Upsample: {
        **takes(size=optional(SIDES), scale_factor=_FACTORS, mode=_MODE, align_corners=optional(FLAG)),
        **takes(recompute_scale_factor=optional(FLAG)),
    },
}

MODULES: Mapping[str, ModuleType] = {kind.__name__: ModuleType(kind, names) for kind, names in _ARGUMENTS.items()}

_STATES = either(NODE, row(NODE, 1, 2))
INPUTS = takes(input=NODE, hx=optional(_STATES), output_size=optional(row(COUNT, 1, 3)))  # of every layer's call
