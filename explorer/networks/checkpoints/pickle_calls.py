"""The few names that a state dict's pickle may use, and what calling them makes: stand-ins with checked sizes."""

from __future__ import annotations

import math
from collections.abc import Callable

from explorer.core.errors import BadInput
from explorer.core.text import quoted
from explorer.networks.checkpoints.pickle_machine import Machine, Value

MAX_DIMENSIONS = 8
ITEM_BYTES = {
    **{"Double": 8, "Float": 4, "Half": 2, "BFloat16": 2, "ComplexDouble": 16, "ComplexFloat": 8},
    **{"Long": 8, "Int": 4, "Short": 2, "Char": 1, "Byte": 1, "Bool": 1},
}
STORAGES = {f"torch {name}Storage": size for name, size in ITEM_BYTES.items()}
DTYPES = {f"torch {name}" for name in ("float16", "bfloat16", "float32", "float64", "int64", "int32", "uint8", "bool")}


def find(machine: Machine, name: str) -> None:
    """The global "module name"; BadInput unless it is one of those that weights need."""
    if not all(part.isidentifier() for part in name.replace(" ", ".").split(".")):
        raise ValueError("a global without a proper name")
    if name not in CALLS and name not in STORAGES and name not in DTYPES:
        code = name.replace(" ", ".")[:80]
        raise BadInput(f"contains pickled code ({code}); only weights are read, so save the state_dict alone")
    machine.push("global", name)


def call(machine: Machine, function: Value, arguments: Value) -> None:
    """Push what the global makes of its arguments."""
    if function.kind != "global" or function.data not in CALLS or arguments.kind != "tuple":
        raise ValueError("calls something that is not a function")
    CALLS[function.data](machine, *arguments.data)


def load_storage(machine: Machine, identity: Value) -> None:
    """('storage', type, key, device, items[, view]): claims bytes that must be in the file."""
    word, kind, key, _, count, *view = identity.data
    if word.data != "storage" or kind.data not in STORAGES or any(part.data is not None for part in view):
        raise ValueError("a persistent value that is not a whole storage")
    size = _whole(count) * STORAGES[kind.data]
    if machine.stored is not None and machine.stored.get(key.data) != size:
        raise BadInput(f"claims {size:,} bytes for storage {quoted(str(key.data), 20)}, which are not in the file")
    if machine.storages.setdefault(key.data, size) != size:
        raise BadInput(f"claims two sizes for storage {quoted(str(key.data), 20)}")
    machine.push("storage", (size, STORAGES[kind.data]))


def _tensor(machine: Machine, storage: Value, offset: Value, size: Value, stride: Value, *_: Value) -> None:
    """A view of a storage: it may neither hold more items than the storage nor reach beyond its end."""
    shape, steps = [_whole(length) for length in size.data], [_whole(step) for step in stride.data]
    if storage.kind != "storage" or len(shape) != len(steps) or len(shape) > MAX_DIMENSIONS:
        raise ValueError("a tensor without proper sizes")
    held, item = storage.data
    reach = _whole(offset) + 1 + sum((length - 1) * step for length, step in zip(shape, steps, strict=True))
    claim = math.prod(shape) * item
    if claim and max(claim, reach * item) > held:
        raise BadInput(f"claims {max(claim, reach * item):,} bytes for a tensor whose storage holds {held:,}")
    machine.claimed += claim
    machine.push("tensor")


def _whole(value: Value) -> int:
    if type(value.data) is not int or value.data < 0:
        raise ValueError("a size that is not a whole number")
    return value.data


def _parameter(machine: Machine, tensor: Value, *_: Value) -> None:
    if tensor.kind != "tensor":
        raise ValueError("a parameter without a tensor")
    machine.push("tensor")


def _ordered_dict(machine: Machine) -> None:
    machine.push("dict", set())


def _counter(machine: Machine, counts: Value) -> None:
    if counts.kind != "dict":
        raise ValueError("counts something that is not a dict")
    machine.push("dict", set(counts.data))


def _size(machine: Machine, sizes: Value) -> None:
    machine.push("tuple", sizes.data, sizes.data)


def _device(machine: Machine, *parts: Value) -> None:
    machine.push("plain", tuple(part.data for part in parts))


CALLS: dict[str, Callable[..., None]] = {
    "collections OrderedDict": _ordered_dict,
    "collections Counter": _counter,
    "torch Size": _size,
    "torch device": _device,
    "torch._utils _rebuild_tensor": _tensor,
    "torch._utils _rebuild_tensor_v2": _tensor,
    "torch._utils _rebuild_parameter": _parameter,
}
