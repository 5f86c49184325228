"""From the stand-ins of a file to its tensors, each under the path on which it lies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.core.text import quoted
from explorer.networks.checkpoints import foreign
from explorer.networks.checkpoints.pickle_machine import MAX_DEPTH, Storage, TensorView, Value

INSIDE = "/"  # between a container's name and a name in it; a tensor's own name has dots
LONGEST = 256  # characters of a path
MOST_OTHERS = 1000
OUTER = 3  # levels of containers whose plain values are kept: settings beside the weights, and what they list
COUNTER = "num_batches_tracked"
INTEGERS = (COUNTER, "index", "mask", "ids")  # endings of buffers that are rightly not floats


@dataclass(frozen=True, eq=False)
class CheckpointContents:
    """The contents of a file, by path such as "state_dict/conv1.weight"; items of a list count from 0."""

    tensors: dict[str, Tensor]
    others: tuple[str, ...] = ()  # values that are not tensors
    networks: tuple[tuple[str, str], ...] = ()  # whole pickled modules: path and class
    not_dense: tuple[tuple[str, str], ...] = ()  # tensors that are not read: path and a kind of `foreign.NOT_DENSE`
    values: object = None  # the outer containers with the plain values in them


@dataclass(eq=False)
class _Found:
    views: dict[str, TensorView] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    networks: list[tuple[str, str]] = field(default_factory=list)
    not_dense: list[tuple[str, str]] = field(default_factory=list)


def contents_of(root: Value, load: Callable[[Storage], bytes | memoryview]) -> CheckpointContents:
    """All tensors of a pickle's stand-in; `load` gives a storage's bytes. Raises BadInput if there is none."""
    found = _Found()
    for path, value in _walk(root, "", set()):
        if value.kind == "tensor":
            _note_tensor(found, path, value.data)
        elif value.kind == "stranger" and _is_network(value):
            found.networks.append((path, value.data.name))
        elif value.kind == "stranger" and value.data.name in foreign.NOT_DENSE and len(found.not_dense) < MOST_OTHERS:
            found.not_dense.append((path, value.data.name))
        elif len(found.others) < MOST_OTHERS:
            found.others.append(path)
    if root.kind == "tensor":
        raise BadInput("holds a single tensor, not a dictionary of weights by name")
    if found.not_dense and not found.views:
        raise BadInput(foreign.not_dense(*found.not_dense[0]))
    if not found.views and not found.networks:
        raise BadInput("holds no weights: there is no tensor in it")
    if found.views and all(path.rpartition(INSIDE)[2].isdecimal() for path in found.views):
        raise BadInput(f"holds tensors without names, in a list; {foreign.SCRIPT}")
    values = _values(root, {})
    others = (*found.others, *(path for path, _ in found.not_dense))
    made = _made(found.views, load)
    return CheckpointContents(made, others, tuple(found.networks), tuple(found.not_dense), values)


def plain(name: str, tensor: Tensor) -> Tensor:
    """The tensor as float32, or as it is where it counts or points; raises BadInput if it can be no weight."""
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta:
        raise BadInput(f"has the tensor {name}, which is not plain and dense")
    if tensor.dtype in (torch.int64, torch.int32, torch.uint8, torch.bool) and name.endswith(INTEGERS):
        return tensor.detach().contiguous()
    if not tensor.is_floating_point():
        raise BadInput(f"has {name} of type {str(tensor.dtype).removeprefix('torch.')}; weights must be real floats")
    weights = tensor.detach().to(torch.float32).contiguous()
    if not weights.isfinite().all():
        raise BadInput(f"has NaN or infinite values in {name}")
    return weights


def _walk(value: Value, path: str, seen: set[int], depth: int = 0) -> Iterator[tuple[str, Value]]:
    """Every value that holds no others, with its path; a container that is met twice is walked once."""
    inner = _items(value)
    if inner is None:
        yield path, value
    elif id(value) not in seen and depth <= MAX_DEPTH:
        seen.add(id(value))
        for name, item in inner:
            where = f"{path}{INSIDE}{name}" if path else name
            if len(where) <= LONGEST or item.kind == "tensor":
                yield from _walk(item, where, seen, depth + 1)


def _items(value: Value) -> Iterable[tuple[str, Value]] | None:
    """The items of a container, by name; None for values that are no containers."""
    if value.kind in ("tuple", "list"):
        return [(str(at), item) for at, item in enumerate(value.data)]
    if value.kind == "dict" or (value.kind == "stranger" and value.data.items):
        held = value.data if value.kind == "dict" else value.data.items
        return [(_label(key, at), item) for at, (key, item) in enumerate(held.items())]
    return None


def _values(value: Value, made: dict[tuple[int, int], object], levels: int = OUTER) -> object:
    """Plain values in dicts and lists, down to so many levels, None for all else; each is made once."""
    if value.kind == "plain":
        return value.data
    if not levels or value.kind not in ("dict", "list", "tuple"):
        return None
    place = id(value), levels
    if place not in made:
        inner = value.data.items() if value.kind == "dict" else enumerate(value.data)
        parts = {key: _values(item, made, levels - 1) for key, item in inner}
        made[place] = parts if value.kind == "dict" else list(parts.values())
    return made[place]


def _label(key: object, at: int) -> str:
    if isinstance(key, str) or (isinstance(key, int) and key.bit_length() < 64):
        return str(key)
    return f"?{at}"


def _is_network(value: Value) -> bool:
    """Whether a stranger is a module with weights or with modules inside; a loss has neither."""
    state = value.data.state
    if state is None or state.kind != "dict" or "_modules" not in state.data:
        return False
    parts = (state.data.get("_parameters"), state.data["_modules"])
    return any(part is not None and part.kind == "dict" and part.data for part in parts)


def _note_tensor(found: _Found, path: str, view: TensorView) -> None:
    if not path.isprintable() or len(path) > LONGEST:
        raise BadInput(f"has a tensor under the name {quoted(path, 80)}, which no network has")
    if path in found.views:
        raise BadInput(f"has two tensors under the name {quoted(path, 80)}")
    found.views[path] = view


def _made(views: dict[str, TensorView], load: Callable[[Storage], bytes | memoryview]) -> dict[str, Tensor]:
    """The tensors; those of one storage share its memory, as they did before."""
    held: dict[object, bytearray] = {}
    tensors = {}
    for name, view in views.items():
        if view.storage.key not in held:
            inside = view.storage.data  # of the pickle
            held[view.storage.key] = bytearray(load(view.storage) if inside is None else inside)
        tensors[name] = _tensor(view, held[view.storage.key])
    return tensors


def _tensor(view: TensorView, data: bytearray) -> Tensor:
    count = len(data) // view.dtype.itemsize
    flat = torch.frombuffer(data, dtype=view.dtype, count=count) if count else torch.empty(0, dtype=view.dtype)
    try:
        return flat.as_strided(view.shape, view.stride, view.offset if flat.numel() else 0)
    except (RuntimeError, OverflowError, TypeError) as error:
        raise BadInput("is damaged: it has a tensor whose sizes can't be") from error
