"""NumPy arrays in a pickle: followed like tensors, as each brings its own bytes; of other types they stay strangers."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import accumulate
from operator import mul
from typing import Any

import torch

from explorer.networks.checkpoints.pickle_machine import MAX_DIMENSIONS, Machine, Storage, Stranger, TensorView, Value

TYPES = {
    **{"f2": torch.float16, "f4": torch.float32, "f8": torch.float64, "b1": torch.bool},
    **{"i1": torch.int8, "i2": torch.int16, "i4": torch.int32, "i8": torch.int64, "u1": torch.uint8},
}
"""NumPy's code of a type, without its byte order -> torch's."""

NATIVE = ("<", "=", "|")  # byte orders; "|" where there is only one


def new_type(machine: Machine, code: Value, *_: Value) -> None:
    """A dtype, whose byte order follows as its state."""
    machine.push("array type", str(code.data).lstrip("".join(NATIVE)))


def new_array(machine: Machine, *_: Value) -> None:
    """An array that is empty until its state follows."""
    machine.push("array")


def from_buffer(machine: Machine, data: Value, kind: Value, shape: Value, order: Value) -> None:
    """An array with its bytes, as protocol 5 of pickle writes it."""
    machine.push("array")
    _fill(machine.stack[-1], shape, kind, order.data == "F", data)


def set_state(target: Value, state: Value) -> None:
    """The byte order of a dtype, (version, order, ..); or what an array is, (version, shape, dtype, Fortran, bytes)."""
    parts: tuple[Value, ...] = state.data
    if target.kind == "array type":
        target.data = target.data if parts[1].data in NATIVE else None
    else:
        _, shape, kind, fortran, data = parts
        _fill(target, shape, kind, fortran.data is True, data)


def _fill(array: Value, shape: Value, kind: Value, fortran: bool, data: Value) -> None:
    """Make the stand-in a tensor's, where its bytes are plain numbers; ValueError where they are not as many."""
    dtype = TYPES.get(kind.data) if kind.kind == "array type" else None
    held: Any = data.data
    if dtype is None or not isinstance(held, bytes):
        array.kind, array.data = "stranger", Stranger("numpy.ndarray")
        return
    sizes = tuple(size.data for size in shape.data)
    if any(type(size) is not int or size < 0 for size in sizes) or len(sizes) > MAX_DIMENSIONS:
        raise ValueError("an array without proper sizes")
    if math.prod(sizes) * dtype.itemsize != len(held):
        raise ValueError("an array of another size than its bytes")
    storage = Storage(("array", id(held)), len(held), dtype.itemsize, dtype, memoryview(held))
    steps = tuple(accumulate(sizes[:-1], mul, initial=1)) if fortran else _c_order(sizes)
    array.kind, array.data = "tensor", TensorView(storage, dtype, 0, sizes, steps[: len(sizes)])


def _c_order(sizes: tuple[int, ...]) -> tuple[int, ...]:
    """Items from one entry to the next along each dimension, the last being the fastest."""
    return tuple(accumulate(sizes[:0:-1], mul, initial=1))[::-1]


CALLS: dict[str, Callable[..., None]] = {
    "numpy dtype": new_type,
    **{f"numpy.{core}.multiarray _reconstruct": new_array for core in ("core", "_core")},
    **{f"numpy.{core}.numeric _frombuffer": from_buffer for core in ("core", "_core")},
}
STATES = ("array type", "array")  # kinds of stand-ins whose state is read
