"""Stand-ins for what a pickle makes, and the stack machine that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from explorer.core.errors import BadInput

MAX_DEPTH = 32


@dataclass(slots=True)
class Value:
    """A stand-in for an unpickled object."""

    kind: str  # "plain", "tuple", "list", "dict", "global", "storage" or "tensor"
    data: Any = None  # the value, the tuple's items, the dict's keys, the global's name, the storage's (bytes, item)
    depth: int = 0


class Machine:
    """A pickle machine's stack, marks and memo; and the storages and tensor bytes that its pickles claim."""

    def __init__(self, stored: Mapping[str, int] | None = None) -> None:
        self.stored = stored  # storage key -> bytes present, where that is known beforehand
        self.storages: dict[str, int] = {}  # storage key -> bytes claimed
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
