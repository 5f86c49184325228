"""Run a graph on shapes alone: finds the shapes of its values, and takes neither their memory nor their time."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn.modules.conv import _ConvNd
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from explorer.core.checks import require
from explorer.core.free_memory import check_room

MAX_VALUES = 2**31  # of all feature maps of one image together; EfficientNet-B7 at 600 pixels has 10^9
MAX_FLOPS = 2**38  # of one image; EfficientNet-B7 at 600 pixels takes 8 * 10^10
FEW_VALUES, FEW_FLOPS = 2**27, 2**34  # that any image may take; beyond, the most for each value of the image:
VALUES_A_VALUE, FLOPS_A_VALUE = 2**12, 2**20  # above what is known of networks for images, so that opening ends soon
SHRUNK = 56  # pixels a side from which opening tries the network on smaller images
TRIED, RUN = 2 * 8, 4  # bytes that a value takes on opening: of two images in float64, or of one image as it is
MAX_LAYERS = 1024  # with channels to cut: finding the coupled ones takes time quadratic in their number
MAX_SEQUENCE = 2**16
_SPLITTING = frozenset({"chunk", "split", "unbind"})


def output_shape(module: fx.GraphModule, input_shape: Sequence[int]) -> tuple[int, ...]:
    """The shape that one image's output has; `module` lies on the meta device.

    Raises BadInput if a step would make too much, and whatever torch raises if a step is impossible.
    """
    layers = sum(isinstance(layer, (_ConvNd, nn.Linear)) for layer in module.modules())
    require(layers <= MAX_LAYERS, f"it has {layers:,} convolutions and linear layers, more than {MAX_LAYERS:,}")
    kinds = [t.dtype for t in module.state_dict().values() if t.is_floating_point()]
    image = torch.empty(1, *input_shape, dtype=kinds[0] if kinds else None, device="meta")
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        output = _Shapes(module, counter).run_on(image)
    require(isinstance(output, Tensor), "the output must be one tensor")
    return tuple(output.shape)


class _Shapes(fx.Interpreter):
    """An interpreter that stops before a value, or all that live at one time, grow out of bounds."""

    def __init__(self, module: fx.GraphModule, counter: FlopCounterMode) -> None:
        super().__init__(module)
        self.extra_traceback = False
        self.counter = counter
        self.values, self.live, self.most = 0, _Live(), 0
        self.max_values, self.max_flops, self.each = MAX_VALUES, MAX_FLOPS, RUN

    def run_on(self, image: Tensor) -> Any:
        """The output of one image, within the bounds for one of its size."""
        self.max_values = min(MAX_VALUES, max(FEW_VALUES, VALUES_A_VALUE * image.numel()))
        self.max_flops = min(MAX_FLOPS, max(FEW_FLOPS, FLOPS_A_VALUE * image.numel()))
        self.each = TRIED if min(image.shape[2:], default=0) < SHRUNK else RUN
        return self.run(image)

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        if isinstance(result, Tensor):
            self.values += result.numel()
        grown = f"up to node {n.name}, the feature maps of one image hold more than {self.max_values:,} values"
        require(self.values <= self.max_values, grown)
        long = f"up to node {n.name}, one image takes more than {self.max_flops:,} FLOPs"
        require(self.counter.get_total_flops() <= self.max_flops, long)
        small = not isinstance(result, int) or abs(result) < 2**62
        require(small, f"node {n.name} makes a number beyond 2^62")
        short = not isinstance(result, (str, tuple, list)) or len(result) <= MAX_SEQUENCE
        require(short, f"node {n.name} makes a sequence of more than {MAX_SEQUENCE} items")
        self.live.add(n, result)
        held = self.live.values + self._unfolded(n, result)
        if held > self.most:
            self.most = held
            check_room(self.each * held, f"Node {n.name} of this export, tried with what is held beside it,")
        for last in self.user_to_last_uses.get(n, []):
            self.live.drop(last)
        return result

    def _unfolded(self, n: fx.Node, result: Any) -> int:
        """Values that a convolution may write beside its output: its input, unfolded for each place of the kernel."""
        layer = self.fetch_attr(str(n.target)) if n.op == "call_module" else None
        if not isinstance(layer, _ConvNd) or not isinstance(result, Tensor):
            return 0
        return layer.in_channels * prod(layer.kernel_size) * prod(result.shape[2:])

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


class _Live:
    """The number of values held while a graph runs; views share those of their base."""

    def __init__(self) -> None:
        self.values = 0
        self._holders: Counter[int] = Counter()
        self._held: dict[fx.Node, list[tuple[int, int]]] = {}  # node -> its storages with their numbers of values

    def add(self, node: fx.Node, result: Any) -> None:
        """A node's result is there."""
        tensors = [each for each in tree_leaves(result) if isinstance(each, Tensor)]
        self._held[node] = [(t.untyped_storage()._cdata, t.untyped_storage().nbytes() // t.itemsize) for t in tensors]
        for storage, values in self._held[node]:
            self.values += values * (not self._holders[storage])
            self._holders[storage] += 1

    def drop(self, node: fx.Node) -> None:
        """Nothing reads the node's result any more."""
        for storage, values in self._held.pop(node, []):
            self._holders[storage] -= 1
            self.values -= values * (not self._holders[storage])
