"""The operations that an exported graph may hold: three tables, by the name that the file uses.

A name that is not in them is never looked up anywhere else, so a file can reach nothing beyond this page.
"""

from __future__ import annotations

import builtins
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

_CONVOLUTION = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias")
_BATCH_NORM = ("num_features", "eps", "momentum", "affine", "track_running_stats")
_RECURRENT = ("input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional")
_MAX_POOL = ("kernel_size", "stride", "padding", "dilation", "return_indices", "ceil_mode")
_AVG_POOL = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad")


@dataclass(frozen=True)
class ModuleType:
    """A torch.nn class and those of its constructor's arguments that its instances keep as attributes."""

    build: Callable[..., nn.Module]
    arguments: tuple[str, ...]


_ARGUMENTS: Mapping[Callable[..., nn.Module], tuple[str, ...]] = {
    nn.Conv1d: (*_CONVOLUTION, "padding_mode"),
    nn.Conv2d: (*_CONVOLUTION, "padding_mode"),
    nn.Conv3d: (*_CONVOLUTION, "padding_mode"),
    nn.ConvTranspose2d: (*_CONVOLUTION, "output_padding", "padding_mode"),
    nn.Linear: ("in_features", "out_features", "bias"),
    nn.BatchNorm1d: _BATCH_NORM,
    nn.BatchNorm2d: _BATCH_NORM,
    nn.BatchNorm3d: _BATCH_NORM,
    nn.RNN: (*_RECURRENT, "nonlinearity"),
    nn.GRU: _RECURRENT,
    nn.LSTM: (*_RECURRENT, "proj_size"),
    nn.LayerNorm: ("normalized_shape", "eps", "elementwise_affine", "bias"),
    nn.GroupNorm: ("num_groups", "num_channels", "eps", "affine"),
    nn.InstanceNorm2d: _BATCH_NORM,
    nn.LocalResponseNorm: ("size", "alpha", "beta", "k"),
    nn.ReLU: ("inplace",),
    nn.ReLU6: ("inplace",),
    nn.LeakyReLU: ("negative_slope", "inplace"),
    nn.PReLU: ("num_parameters",),
    nn.ELU: ("alpha", "inplace"),
    nn.CELU: ("alpha", "inplace"),
    nn.SELU: ("inplace",),
    nn.SiLU: ("inplace",),
    nn.Mish: ("inplace",),
    nn.GELU: ("approximate",),
    nn.Hardswish: ("inplace",),
    nn.Hardsigmoid: ("inplace",),
    nn.Hardtanh: ("min_val", "max_val", "inplace"),
    nn.Softplus: ("beta", "threshold"),
    nn.Sigmoid: (),
    nn.Tanh: (),
    nn.Softmax: ("dim",),
    nn.LogSoftmax: ("dim",),
    nn.MaxPool1d: _MAX_POOL,
    nn.MaxPool2d: _MAX_POOL,
    nn.MaxPool3d: _MAX_POOL,
    nn.AvgPool2d: (*_AVG_POOL, "divisor_override"),
    nn.AvgPool3d: (*_AVG_POOL, "divisor_override"),
    nn.AdaptiveAvgPool1d: ("output_size",),
    nn.AdaptiveAvgPool2d: ("output_size",),
    nn.AdaptiveAvgPool3d: ("output_size",),
    nn.AdaptiveMaxPool2d: ("output_size", "return_indices"),
    nn.Dropout: ("p", "inplace"),
    nn.Dropout1d: ("p", "inplace"),
    nn.Dropout2d: ("p", "inplace"),
    nn.Dropout3d: ("p", "inplace"),
    nn.AlphaDropout: ("p", "inplace"),
    nn.Identity: (),
    nn.Flatten: ("start_dim", "end_dim"),
    nn.Unflatten: ("dim", "unflattened_size"),
    nn.ZeroPad2d: ("padding",),
    nn.ReflectionPad2d: ("padding",),
    nn.ReplicationPad2d: ("padding",),
    nn.ConstantPad2d: ("padding", "value"),
    nn.PixelShuffle: ("upscale_factor",),
    nn.PixelUnshuffle: ("downscale_factor",),
    nn.Upsample: ("size", "scale_factor", "mode", "align_corners", "recompute_scale_factor"),
}

MODULES: Mapping[str, ModuleType] = {kind.__name__: ModuleType(kind, names) for kind, names in _ARGUMENTS.items()}

_OPERATORS = (
    *("add", "iadd", "sub", "isub", "mul", "imul", "truediv", "itruediv", "floordiv", "neg", "pow", "matmul"),
    "getitem",
)
_TORCH = (
    *("abs", "add", "addcmul", "amax", "cat", "chunk", "clamp", "conv1d", "conv2d", "conv3d", "div", "exp", "flatten"),
    *("log", "log_softmax", "matmul", "mean", "mul", "permute", "relu", "reshape", "rsqrt", "sigmoid", "softmax"),
    *("split", "sqrt", "squeeze", "stack", "sub", "sum", "swapaxes", "tanh", "transpose", "unbind", "unsqueeze"),
)
_FUNCTIONAL = (
    *("adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool2d", "avg_pool2d"),
    *("avg_pool3d", "batch_norm", "celu", "conv1d", "conv2d", "conv3d", "dropout", "dropout2d", "elu", "gelu"),
    *("group_norm", "hardsigmoid", "hardswish", "hardtanh", "interpolate", "layer_norm", "leaky_relu", "linear"),
    *("local_response_norm", "log_softmax", "max_pool1d", "max_pool2d", "max_pool3d", "mish", "normalize", "pad"),
    *("pixel_shuffle", "pixel_unshuffle", "prelu", "relu", "relu6", "selu", "sigmoid", "silu", "softmax", "softplus"),
    "tanh",
)

FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "getattr": builtins.getattr,  # only for the names in ATTRIBUTES
    **{f"operator.{name}": getattr(operator, name) for name in _OPERATORS},
    **{f"torch.{name}": getattr(torch, name) for name in _TORCH},
    **{f"torch.nn.functional.{name}": getattr(F, name) for name in _FUNCTIONAL},
}

METHODS = frozenset(
    {
        *("add", "add_", "amax", "chunk", "clamp", "contiguous", "dim", "div", "exp", "expand", "expand_as", "flatten"),
        *("float", "log", "log_softmax", "matmul", "max", "mean", "mul", "mul_", "narrow", "norm", "permute", "pow"),
        *("relu", "relu_", "repeat", "reshape", "reshape_as", "sigmoid", "size", "softmax", "split", "sqrt", "squeeze"),
        *("sub", "sum", "swapaxes", "t", "tanh", "transpose", "unbind", "unflatten", "unsqueeze", "view", "view_as"),
    }
)

ATTRIBUTES = frozenset({"shape", "ndim"})
