"""Run a graph on shapes alone: what it would compute, without the memory or the time."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, fx

from explorer.export.checks import require

MAX_VALUES = 2**31  # of all feature maps of one image together; EfficientNet-B7 at 600 pixels has 10^9
MAX_SEQUENCE = 2**16
_SPLITTING = frozenset({"chunk", "split", "unbind"})


def output_shape(module: fx.GraphModule, input_shape: Sequence[int]) -> tuple[int, ...]:
    """The shape that one image's output has; `module` lies on the meta device.

    Raises BadInput if a step would make too much, and whatever torch raises if a step is impossible.
    """
    kinds = [t.dtype for t in module.state_dict().values() if t.is_floating_point()]
    image = torch.empty(1, *input_shape, dtype=kinds[0] if kinds else None, device="meta")
    with torch.no_grad():
        output = _Shapes(module).run(image)
    require(isinstance(output, Tensor), "the output must be one tensor")
    return tuple(output.shape)


class _Shapes(fx.Interpreter):
    """An interpreter that stops before a value grows out of bounds."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.extra_traceback = False
        self.values = 0

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        if isinstance(result, Tensor):
            self.values += result.numel()
        require(self.values <= MAX_VALUES, f"its feature maps hold more than {MAX_VALUES:,} values an image")
        small = not isinstance(result, int) or abs(result) < 2**62
        require(small, f"node {n.name} makes a number beyond 2^62")
        short = not isinstance(result, (str, tuple, list)) or len(result) <= MAX_SEQUENCE
        require(short, f"node {n.name} makes a sequence of more than {MAX_SEQUENCE} items")
        return result

    def call_function(self, target: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        if target in (operator.mul, operator.imul, operator.pow):
            _check_arithmetic(target, args)
        _check_split(target.__name__, args)
        return super().call_function(target, args, dict(kwargs))

    def call_method(self, target: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        require(isinstance(args[0], Tensor), f"the method {target} must be called on a tensor")
        _check_split(target, args)
        return super().call_method(target, args, dict(kwargs))


def _check_arithmetic(target: Any, args: tuple[Any, ...]) -> None:
    """No product or power may grow without bound in one step: ("ab" * 10^9, 9 ** 10^9)."""
    numbers = all(isinstance(a, (Tensor, int, float)) for a in args)
    powerless = target is not operator.pow or any(isinstance(a, Tensor) for a in args)
    require(numbers and powerless, f"{target.__name__} must be of tensors or numbers")


def _check_split(name: str, args: tuple[Any, ...]) -> None:
    splits = name in _SPLITTING and bool(args) and isinstance(args[0], Tensor)
    require(not splits or max(args[0].shape, default=0) <= MAX_SEQUENCE, f"{name} of more than {MAX_SEQUENCE} parts")
