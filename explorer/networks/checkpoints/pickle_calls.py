"""The few names of a pickle that are followed, with checked sizes; every other name gives an inert stranger."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from explorer.core.errors import BadInput
from explorer.core.text import quoted
from explorer.networks.checkpoints import numpy_arrays
from explorer.networks.checkpoints.pickle_machine import MAX_DIMENSIONS, Machine, Storage, Stranger, TensorView, Value

TYPES = {
    **{"Double": torch.float64, "Float": torch.float32, "Half": torch.float16, "BFloat16": torch.bfloat16},
    **{"ComplexDouble": torch.complex128, "ComplexFloat": torch.complex64, "Bool": torch.bool},
    **{"Long": torch.int64, "Int": torch.int32, "Short": torch.int16, "Char": torch.int8, "Byte": torch.uint8},
}
STORAGES: dict[str, tuple[torch.dtype | None, int]] = {
    **{
        f"{place} {name}Storage": (kind, kind.itemsize)
        for name, kind in TYPES.items()
        for place in ("torch", "torch.cuda")
    },
    **{f"torch {name}Storage": (None, size) for name, size in (("QInt8", 1), ("QUInt8", 1), ("QInt32", 4))},
    "torch.storage UntypedStorage": (None, 1),
}
DTYPES = {f"torch {name}": value for name, value in vars(torch).items() if isinstance(value, torch.dtype)}
# What only an attack names. Nothing would run here; but who passes the file on should know.
ATTACKS = {
    "os",
    "posix",
    "nt",
    "subprocess",
    "sys",
    "socket",
    "shutil",
    "runpy",
    "importlib",
    "ctypes",
    "pty",
    "webbrowser",
}
BUILTINS = ("builtins", "__builtin__")
ATTACKING_BUILTINS = {"eval", "exec", "compile", "__import__", "open", "input", "breakpoint", "execfile"}


def find(machine: Machine, name: str) -> None:
    """The global "module name"; raises BadInput for a name with which pickles attack."""
    if not all(part.isidentifier() for part in name.replace(" ", ".").split(".")):
        raise ValueError("a global without a proper name")
    module, _, inner = name.partition(" ")
    if module.partition(".")[0] in ATTACKS or (module in BUILTINS and inner in ATTACKING_BUILTINS):
        code = name.replace(" ", ".")[:80]
        raise BadInput(f"contains pickled code ({code}); only weights are read, so save the state_dict alone")
    machine.push("global", name)


def call(machine: Machine, function: Value, arguments: Value) -> None:
    """Push what the global makes of its arguments: a stranger, unless it is one of those that weights need."""
    if arguments.kind != "tuple":
        raise ValueError("calls with something else than arguments")
    if function.kind == "global" and function.data in CALLS:
        CALLS[function.data](machine, *arguments.data)
    else:
        stranger(machine, function)


def stranger(machine: Machine, kind: Value) -> None:
    """Push an inert stand-in for an object of a class that is not followed."""
    name = kind.data if kind.kind == "global" else "object"
    machine.push("stranger", Stranger(str(name).replace(" ", ".")))


def persistent(machine: Machine, identity: Value) -> None:
    """('storage', type, key, device, items[, view]) claims bytes that must be in the file; ('module', class, ...)."""
    word, kind, key, *rest = identity.data
    if word.data == "module":
        machine.stack.append(kind)
        return
    _, count, *view = rest
    if word.data != "storage" or kind.data not in STORAGES or any(part.data is not None for part in view):
        raise ValueError("a persistent value that is not a whole storage")
    dtype, item = STORAGES[kind.data]
    storage = Storage(key.data, whole_size(count) * item, item, dtype)
    if machine.stored is not None and machine.stored.get(key.data) != storage.size:
        shown = quoted(str(key.data), 20)
        raise BadInput(f"claims {storage.size:,} bytes for storage {shown}, which are not in the file")
    if machine.storages.setdefault(key.data, storage.size) != storage.size:
        raise BadInput(f"claims two sizes for storage {quoted(str(key.data), 20)}")
    machine.push("storage", storage)


def whole_size(value: Value) -> int:
    """A size; ValueError for anything but a whole number."""
    if type(value.data) is not int or value.data < 0:
        raise ValueError("a size that is not a whole number")
    return value.data


def _tensor(machine: Machine, storage: Value, offset: Value, size: Value, stride: Value, *_: Value) -> None:
    if storage.kind != "storage" or storage.data.dtype is None:
        raise ValueError("a tensor without a typed storage")
    _view(machine, storage.data, storage.data.dtype, (offset, size, stride))


def _tensor_of_type(machine: Machine, storage: Value, *rest: Value) -> None:
    offset, size, stride, _, _, dtype, *_ = rest
    if storage.kind != "storage" or dtype.data not in DTYPES:
        raise ValueError("a tensor without storage or type")
    _view(machine, storage.data, DTYPES[dtype.data], (offset, size, stride))


def _view(machine: Machine, storage: Storage, dtype: torch.dtype, place: tuple[Value, Value, Value]) -> None:
    """A view of a storage: it may neither hold more items than the storage nor reach beyond its end."""
    start, shape, steps = (
        whole_size(place[0]),
        tuple(map(whole_size, place[1].data)),
        tuple(map(whole_size, place[2].data)),
    )
    if len(shape) != len(steps) or len(shape) > MAX_DIMENSIONS:
        raise ValueError("a tensor without proper sizes")
    reach = start + 1 + sum((length - 1) * step for length, step in zip(shape, steps, strict=True))
    claim = math.prod(shape) * dtype.itemsize
    if claim and max(claim, reach * dtype.itemsize) > storage.size:
        needed = max(claim, reach * dtype.itemsize)
        raise BadInput(f"claims {needed:,} bytes for a tensor whose storage holds {storage.size:,}")
    machine.claimed += claim
    machine.push("tensor", TensorView(storage, dtype, start, shape, steps))


def _storage_inside(machine: Machine, data: Value) -> None:
    """A storage whose file, of its own, lies in the pickle: how pickle.dump writes tensors."""
    if machine.storage_in is None or not isinstance(data.data, bytes):
        raise ValueError("a storage where none may be")
    if id(data.data) not in machine.inside:
        storage = machine.inside[id(data.data)] = machine.storage_in(data.data)
        machine.storages[storage.key] = storage.size
    machine.push("storage", machine.inside[id(data.data)])


def _parameter(machine: Machine, tensor: Value, *_: Value) -> None:
    machine.stack.append(tensor)


def _with_type(machine: Machine, function: Value, _: Value, arguments: Value, *__: Value) -> None:
    """A tensor with attributes, or of a class of its own: the tensor alone."""
    call(machine, function, arguments)


def _dict(machine: Machine, *_: Value) -> None:
    machine.push("dict", {})


def _counter(machine: Machine, counts: Value) -> None:
    machine.push("dict", dict(counts.data), tuple(counts.data.values()))


def _size(machine: Machine, sizes: Value) -> None:
    machine.push("tuple", sizes.data, sizes.data)


def _encoded(machine: Machine, text: Value, encoding: Value) -> None:
    """Bytes, as older protocols of pickle write them."""
    if not isinstance(text.data, str) or encoding.data != "latin1":
        raise ValueError("bytes that are no text in Latin-1")
    machine.push("plain", text.data.encode("latin1"))


CALLS: dict[str, Callable[..., None]] = {
    "collections OrderedDict": _dict,
    "collections defaultdict": _dict,
    "collections Counter": _counter,
    "torch Size": _size,
    "_codecs encode": _encoded,
    "torch.storage _load_from_bytes": _storage_inside,
    "torch._utils _rebuild_tensor": _tensor,
    "torch._utils _rebuild_tensor_v2": _tensor,
    "torch._utils _rebuild_tensor_v3": _tensor_of_type,
    "torch._utils _rebuild_parameter": _parameter,
    "torch._utils _rebuild_parameter_with_state": _parameter,
    "torch._tensor _rebuild_from_type_v2": _with_type,
    **numpy_arrays.CALLS,
}
