"""The objects that a checkpoint's pickle would make, found out without making any of them.

The instructions are followed with inert stand-ins in place of objects: no name is imported, nothing is called and no
memory is taken for a tensor. Tensors are made from the stand-ins afterwards, once all that they claim is checked.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from typing import IO, Any

from explorer.core.bounds import PICKLE_INSTRUCTIONS
from explorer.core.errors import BadInput
from explorer.core.text import quoted
from explorer.networks.checkpoints import numpy_arrays
from explorer.networks.checkpoints.pickle_calls import call, find, persistent, stranger
from explorer.networks.checkpoints.pickle_machine import Machine, Value, depth_around

MAX_VIEWS = 4  # tensors may share storage, but in all claim at most this many times the stored bytes


def check_claims(machine: Machine) -> None:
    """All tensors together may not claim much more than is stored."""
    held = sum(machine.storages.values())
    if machine.claimed > MAX_VIEWS * held:
        raise BadInput(f"claims {machine.claimed:,} bytes of tensors, and holds {held:,}")


def run(machine: Machine, stream: IO[bytes]) -> Value:
    """Follow the stream's next pickle to its end.

    Raises BadInput if it breaks a rule, ValueError if it is malformed.
    """
    machine.restart()
    try:
        for instruction, argument, _ in pickletools.genops(stream):
            _step(machine, instruction.name, argument)
        return machine.stack.pop()
    except (IndexError, KeyError, TypeError, AttributeError) as error:
        raise ValueError("a malformed pickle") from error


def _step(machine: Machine, name: str, argument: Any) -> None:
    machine.instructions += 1
    if machine.instructions > PICKLE_INSTRUCTIONS.most:
        raise BadInput(PICKLE_INSTRUCTIONS.clause(machine.instructions))
    STEPS[name](machine, argument)


def _plain(machine: Machine, value: Any) -> None:
    machine.push("plain", bytes(value) if isinstance(value, bytearray) else value)


def _mark(machine: Machine, _: None) -> None:
    machine.marked.append(machine.stack)
    machine.stack = []


def _drop(machine: Machine, _: None) -> None:
    machine.take(1)


def _drop_marked(machine: Machine, _: None) -> None:
    machine.take_marked()


def _tuple(machine: Machine, items: tuple[Value, ...]) -> None:
    machine.push("tuple", items, items)


def _list(machine: Machine, items: tuple[Value, ...]) -> None:
    machine.push("list", list(items), items)


def _dict(machine: Machine, items: tuple[Value, ...]) -> None:
    machine.push("dict", {})
    _set_items(machine, items)


def _append(machine: Machine, items: tuple[Value, ...]) -> None:
    target = machine.stack[-1]
    if target.kind == "list":
        target.data.extend(items)
    elif target.kind != "stranger":
        raise ValueError("appends to something else than a list")
    target.depth = max(target.depth, depth_around(items))


def _set_items(machine: Machine, items: tuple[Value, ...]) -> None:
    target = machine.stack[-1]
    if target.kind not in ("dict", "stranger") or len(items) % 2:
        raise ValueError("sets items that are not pairs of a key and a value")
    held = target.data if target.kind == "dict" else target.data.items
    for key, value in zip(items[::2], items[1::2], strict=True):
        name = key.data if key.kind == "plain" else (key.kind, len(held))
        if name in held:
            raise BadInput(f"has the key {quoted(str(name), 80)} twice")
        held[name] = value
    target.depth = max(target.depth, depth_around(items))


def _set_state(machine: Machine, _: None) -> None:
    """An object's attributes: kept for a stranger, read for an array, of no meaning elsewhere."""
    (state,) = machine.take(1)
    target = machine.stack[-1]
    if target.kind == "stranger":
        target.data.state = state
    elif target.kind in numpy_arrays.STATES:
        numpy_arrays.set_state(target, state)
    target.depth = max(target.depth, depth_around((state,)))


def _remember(machine: Machine, index: int | None) -> None:
    machine.memo[len(machine.memo) if index is None else index] = machine.stack[-1]


def _find_from_stack(machine: Machine, _: None) -> None:
    module, name = machine.take(2)
    find(machine, f"{module.data} {name.data}")


def _find_and_call(machine: Machine, name: str) -> None:
    arguments = machine.take_marked()
    find(machine, name)
    _tuple(machine, arguments)
    call(machine, *machine.take(2))


def _call_marked(machine: Machine, _: None) -> None:
    kind, *arguments = machine.take_marked()
    _tuple(machine, tuple(arguments))
    call(machine, kind, *machine.take(1))


PLAIN = (
    *("NONE", "BININT", "BININT1", "BININT2", "LONG1", "LONG4", "INT", "LONG", "BINFLOAT", "FLOAT", "UNICODE"),
    *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "STRING", "BINSTRING", "SHORT_BINSTRING"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
)
STEPS: dict[str, Callable[[Machine, Any], None]] = {
    **dict.fromkeys(("PROTO", "FRAME", "STOP"), lambda machine, _: None),
    **dict.fromkeys(PLAIN, _plain),
    "NEWTRUE": lambda machine, _: machine.push("plain", True),
    "NEWFALSE": lambda machine, _: machine.push("plain", False),
    "EMPTY_TUPLE": lambda machine, _: machine.push("tuple", ()),
    **dict.fromkeys(("EMPTY_LIST", "EMPTY_SET"), lambda machine, _: machine.push("list", [])),
    "EMPTY_DICT": lambda machine, _: machine.push("dict", {}),
    "MARK": _mark,
    "POP": _drop,
    "POP_MARK": _drop_marked,
    "DUP": lambda machine, _: machine.stack.append(machine.stack[-1]),
    **dict.fromkeys(("TUPLE", "FROZENSET"), lambda machine, _: _tuple(machine, machine.take_marked())),
    "TUPLE1": lambda machine, _: _tuple(machine, machine.take(1)),
    "TUPLE2": lambda machine, _: _tuple(machine, machine.take(2)),
    "TUPLE3": lambda machine, _: _tuple(machine, machine.take(3)),
    "LIST": lambda machine, _: _list(machine, machine.take_marked()),
    "DICT": lambda machine, _: _dict(machine, machine.take_marked()),
    "APPEND": lambda machine, _: _append(machine, machine.take(1)),
    **dict.fromkeys(("APPENDS", "ADDITEMS"), lambda machine, _: _append(machine, machine.take_marked())),
    "SETITEM": lambda machine, _: _set_items(machine, machine.take(2)),
    "SETITEMS": lambda machine, _: _set_items(machine, machine.take_marked()),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), _remember),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), lambda machine, at: machine.stack.append(machine.memo[at])),
    "GLOBAL": find,
    "STACK_GLOBAL": _find_from_stack,
    "INST": _find_and_call,
    "OBJ": _call_marked,
    "BINPERSID": lambda machine, _: persistent(machine, *machine.take(1)),
    "REDUCE": lambda machine, _: call(machine, *machine.take(2)),
    "NEWOBJ": lambda machine, _: _new(machine, machine.take(2)),
    "NEWOBJ_EX": lambda machine, _: _new(machine, machine.take(3)),
    "BUILD": _set_state,
}


def _new(machine: Machine, parts: tuple[Value, ...]) -> None:
    """An object of a class: a dict where it is one of those that weights need, else a stranger."""
    kind, arguments = parts[:2]
    if len(parts) == 2 and kind.data == "collections OrderedDict":
        call(machine, kind, arguments)
    else:
        stranger(machine, kind)
