"""The functions and methods that an exported graph may call, each argument with the kind that it must be of.

A name that is not in the tables is never looked up anywhere else, so a file can reach nothing beyond this page.
Every argument may be the value of an earlier node where torch takes a computed one.
"""

from __future__ import annotations

import builtins
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

from explorer.networks.graph.kinds import (
    DIM,
    DIMS,
    DTYPE,
    FINITE,
    FLAG,
    INDEX,
    LAYOUT,
    NODE,
    NOTHING,
    NUMBER,
    SHARE,
    TENSORS,
    TERM,
    Signature,
    either,
    one_of,
    one_or_row,
    optional,
    row,
    takes,
)

ATTRIBUTES = ("ndim", "shape")


@dataclass(frozen=True)
class Function:
    """The function that a node calls, and the arguments that it takes."""

    call: Callable[..., Any]
    arguments: Signature


_TENSOR = optional(NODE)
_NUMBER = either(NUMBER, NODE)
_ROW = one_or_row(DIM, 0, 16)
_SPREAD = one_or_row(DIM, 0, 16, spread=True)
_X = takes(input=NODE)
_PAIR = takes(input=TERM, other=TERM)
_SUM = {**_PAIR, **takes(alpha=_NUMBER)}
_ACTIVATION = {**_X, **takes(inplace=FLAG)}
_REDUCTION = {**_X, **takes(dim=DIMS, keepdim=FLAG, dtype=DTYPE)}
_SOFTMAX = {**_X, **takes(dim=optional(DIM), dtype=DTYPE)}
_CONVOLUTION = {
    **takes(input=NODE, weight=NODE, bias=_TENSOR, stride=_ROW, padding=either(_ROW, one_of("same", "valid"))),
    **takes(dilation=_ROW, groups=DIM),
}
_POOL = {**_X, **takes(kernel_size=_ROW, stride=optional(_ROW), padding=_ROW)}
_MAX_POOL = {**_POOL, **takes(dilation=_ROW, ceil_mode=FLAG, return_indices=FLAG)}
_AVG_POOL = {**_POOL, **takes(ceil_mode=FLAG, count_include_pad=FLAG, divisor_override=optional(DIM))}
_ADAPTIVE = {**_X, **takes(output_size=optional(either(DIM, row(optional(DIM), 1, 3))))}
_MODE = one_of("nearest", "linear", "bilinear", "bicubic", "trilinear", "area", "nearest-exact")
_FACTORS = optional(one_or_row(_NUMBER, 1, 3))


def _each(names: str, signature: Signature) -> dict[str, Signature]:
    return dict.fromkeys(names.split(), signature)


# Signatures of torch's functions and of tensors' methods with the same name; `input` is then the tensor itself.
_OF_BOTH: Mapping[str, Signature] = {
    **_each("abs exp log relu rsqrt sigmoid sqrt tanh", _X),
    **_each("add sub", _SUM),
    **_each("mean sum", _REDUCTION),
    **_each("softmax log_softmax", _SOFTMAX),
    "amax": {**_X, **takes(dim=DIMS, keepdim=FLAG)},
    "chunk": {**_X, **takes(chunks=DIM, dim=DIM)},
    "clamp": {**_X, **takes(min=optional(_NUMBER), max=optional(_NUMBER))},
    "div": {**_PAIR, **takes(rounding_mode=optional(one_of("trunc", "floor")))},
    "flatten": {**_X, **takes(start_dim=DIM, end_dim=DIM)},
    "matmul": _PAIR,
    "mul": _PAIR,
    "permute": {**_X, **takes(dims=_SPREAD)},
    "reshape": {**_X, **takes(shape=_SPREAD)},
    "split": {**_X, **takes(split_size_or_sections=_ROW, dim=DIM)},
    "squeeze": {**_X, **takes(dim=DIMS)},
    "swapaxes": {**_X, **takes(axis0=DIM, axis1=DIM)},
    "transpose": {**_X, **takes(dim0=DIM, dim1=DIM)},
    "unbind": {**_X, **takes(dim=DIM)},
    "unsqueeze": {**_X, **takes(dim=DIM)},
}
_TORCH: Mapping[str, Signature] = {
    **_OF_BOTH,
    **_each("conv1d conv2d conv3d", _CONVOLUTION),
    **_each("cat stack", takes(tensors=TENSORS, dim=DIM)),
    "relu_": _X,
    "addcmul": {**_X, **takes(tensor1=NODE, tensor2=NODE, value=_NUMBER)},
}
_FUNCTIONAL: Mapping[str, Signature] = {
    **_each("hardsigmoid hardswish mish relu relu6 selu silu", _ACTIVATION),
    **_each("sigmoid tanh", _X),
    **_each("elu celu", {**_X, **takes(alpha=FINITE, inplace=FLAG)}),
    **_each("conv1d conv2d conv3d", _CONVOLUTION),
    **_each("max_pool1d max_pool2d max_pool3d", _MAX_POOL),
    **_each("avg_pool2d avg_pool3d", _AVG_POOL),
    **_each("adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d", _ADAPTIVE),
    **_each("dropout dropout2d", {**_X, **takes(p=SHARE, training=FLAG, inplace=FLAG)}),
    **_each("softmax log_softmax", {**_X, **takes(dim=optional(DIM), _stacklevel=DIM, dtype=DTYPE)}),
    "adaptive_max_pool2d": {**_ADAPTIVE, **takes(return_indices=FLAG)},
    "batch_norm": {
        **takes(input=NODE, running_mean=_TENSOR, running_var=_TENSOR, weight=_TENSOR, bias=_TENSOR),
        **takes(training=FLAG, momentum=FINITE, eps=FINITE),
    },
    "gelu": {**_X, **takes(approximate=one_of("none", "tanh"))},
    "group_norm": {**_X, **takes(num_groups=DIM, weight=_TENSOR, bias=_TENSOR, eps=FINITE)},
    "hardtanh": {**_X, **takes(min_val=NUMBER, max_val=NUMBER, inplace=FLAG)},
    "interpolate": {
        **takes(input=NODE, size=optional(_ROW), scale_factor=_FACTORS, mode=_MODE, align_corners=optional(FLAG)),
        **takes(recompute_scale_factor=optional(FLAG), antialias=FLAG),
    },
    "layer_norm": {**_X, **takes(normalized_shape=_ROW, weight=_TENSOR, bias=_TENSOR, eps=FINITE)},
    "leaky_relu": {**_X, **takes(negative_slope=FINITE, inplace=FLAG)},
    "linear": takes(input=NODE, weight=NODE, bias=_TENSOR),
    "local_response_norm": {**_X, **takes(size=DIM, alpha=FINITE, beta=FINITE, k=FINITE)},
    "normalize": {**_X, **takes(p=_NUMBER, dim=DIMS, eps=FINITE, out=NOTHING)},
    "pad": {
        **takes(input=NODE, pad=_ROW, mode=one_of("constant", "reflect", "replicate", "circular")),
        **takes(value=optional(NUMBER)),
    },
    "pixel_shuffle": {**_X, **takes(upscale_factor=DIM)},
    "pixel_unshuffle": {**_X, **takes(downscale_factor=DIM)},
    "prelu": takes(input=NODE, weight=NODE),
    "softplus": {**_X, **takes(beta=FINITE, threshold=FINITE)},
}
_OPERATOR: Mapping[str, Signature] = {
    **_each("add iadd sub isub mul imul truediv itruediv floordiv pow matmul", takes(a=TERM, b=TERM)),
    "neg": takes(a=NODE),
    "getitem": takes(a=NODE, b=INDEX),
}


def _family(prefix: str, owner: Any, signatures: Mapping[str, Signature]) -> dict[str, Function]:
    return {f"{prefix}.{name}": Function(getattr(owner, name), known) for name, known in signatures.items()}


FUNCTIONS: Mapping[str, Function] = {
    "getattr": Function(builtins.getattr, takes(input=NODE, name=one_of(*ATTRIBUTES))),
    **_family("operator", operator, _OPERATOR),
    **_family("torch", torch, _TORCH),
    **_family("torch.nn.functional", F, _FUNCTIONAL),
}

METHODS: Mapping[str, Signature] = {
    **{name: known for name, known in _OF_BOTH.items() if name not in ("abs", "rsqrt")},
    "add_": _SUM,
    "mul_": _PAIR,
    **_each("dim relu_ t", _X),
    **_each("expand_as reshape_as view_as", takes(input=NODE, other=NODE)),
    **_each("contiguous float", {**_X, **takes(memory_format=LAYOUT)}),
    "expand": {**_X, **takes(size=_SPREAD)},
    "max": {**_X, **takes(dim=DIM, keepdim=FLAG)},
    "narrow": {**_X, **takes(dim=DIM, start=DIM, length=DIM)},
    "norm": {**_X, **takes(p=optional(either(_NUMBER, one_of("fro", "nuc"))), dim=DIMS, keepdim=FLAG, dtype=DTYPE)},
    "pow": {**_X, **takes(exponent=_NUMBER)},
    "repeat": {**_X, **takes(repeats=_SPREAD)},
    "size": {**_X, **takes(dim=DIM)},
    "unflatten": {**_X, **takes(dim=DIM, sizes=_SPREAD)},
    "view": {**_X, **takes(size=_SPREAD)},
}
