"""Stand-ins for what a pickle makes, and the stack machine that holds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from explorer.core.errors import BadInput

MAX_DEPTH = 32
MAX_DIMENSIONS = 8


@dataclass(frozen=True, slots=True)
class Storage:
    """The bytes that tensors view: where they lie, and how many there are."""

    key: object
    size: int  # bytes
    item: int  # bytes
    dtype: torch.dtype | None  # None where each tensor says it
    data: memoryview | None = None  # inside the pickle; else under the key, in the file


@dataclass(frozen=True, slots=True)
class TensorView:
    """A tensor that is not made yet."""

    storage: Storage
    dtype: torch.dtype
    offset: int  # items
    shape: tuple[int, ...]
    stride: tuple[int, ...]


@dataclass(slots=True)
class Stranger:
    """An object of any other class: its name, what it holds as a dict would, and its state; nothing of it ever runs."""

    name: str
    items: dict[Any, Value] = field(default_factory=dict)
    state: Value | None = None


@dataclass(slots=True)
class Value:
    """A stand-in for an unpickled object."""

    kind: str  # "plain", "tuple", "list", "dict", "global", "storage", "tensor", "stranger", "array type", "array"
    data: Any = None  # the value, the items, those of a dict by key, the global's name, a Storage, View or Stranger
    depth: int = 0


class Machine:
    """A pickle machine's stack, marks and memo; and the storages and tensor bytes that its pickles claim."""

    def __init__(
        self, stored: Mapping[str, int] | None = None, storage_in: Callable[[bytes], Storage] | None = None
    ) -> None:
        self.stored = stored  # storage key -> bytes present, where that is known beforehand
        self.storage_in = storage_in  # reads a storage that lies in the pickle itself, where that may be
        self.storages: dict[object, int] = {}  # storage key -> bytes claimed
        self.inside: dict[int, Storage] = {}  # those that lie in the pickle itself, by their bytes' identity
        self.claimed = 0  # bytes of all tensors
        self.instructions = 0
        self.restart()

    def restart(self) -> None:
        """Forget the last pickle's values."""
        self.stack: list[Value] = []
        self.marked: list[list[Value]] = []
        self.memo: dict[int, Value] = {}

    def push(self, kind: str, data: Any = None, inside: tuple[Value, ...] = ()) -> None:
        """Put a stand-in that holds those `inside` on the stack."""
        self.stack.append(Value(kind, data, depth_around(inside)))

    def take(self, count: int) -> tuple[Value, ...]:
        """Remove and return the last `count` values."""
        return tuple(self.stack.pop() for _ in range(count))[::-1]

    def take_marked(self) -> tuple[Value, ...]:
        """Remove and return the values since the last mark."""
        values, self.stack = tuple(self.stack), self.marked.pop()
        return values


def depth_around(values: tuple[Value, ...]) -> int:
    """Nesting depth of a container of these values; BadInput beyond the limit."""
    depth = 1 + max((value.depth for value in values), default=0)
    if depth > MAX_DEPTH:
        raise BadInput(f"is nested more than {MAX_DEPTH} levels deep")
    return depth
