"""What a checkpoint's pickle would do, found out without doing any of it.

The instructions are followed with inert stand-ins in place of objects: no name is imported, nothing is called and no
memory is taken for a tensor. Only what a state dict needs is let through, so that torch.load meets no surprise.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Mapping
from typing import IO, Any

from explorer.core.bounds import PICKLE_INSTRUCTIONS
from explorer.core.errors import BadInput
from explorer.core.text import quoted
from explorer.networks.checkpoints.pickle_calls import call, find, load_storage
from explorer.networks.checkpoints.pickle_machine import Machine, Value, depth_around

MAX_VIEWS = 4  # tensors may share storage, but in all claim at most this many times the stored bytes


def check(stream: IO[bytes], stored: Mapping[str, int]) -> None:
    """Check the one pickle of a checkpoint whose storages have these sizes in bytes; BadInput or ValueError."""
    machine = Machine(stored)
    run(machine, stream)
    check_claims(machine)


def check_claims(machine: Machine) -> None:
    """All tensors together may not claim much more than is stored."""
    held = sum(machine.storages.values())
    if machine.claimed > MAX_VIEWS * held:
        raise BadInput(f"claims {machine.claimed:,} bytes of tensors, and holds {held:,}")


def run(machine: Machine, stream: IO[bytes]) -> Value:
    """Follow the stream's next pickle to its end; BadInput if it breaks a rule, ValueError if it is malformed."""
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
    machine.push("plain", value)


def _mark(machine: Machine, _: None) -> None:
    machine.marked.append(machine.stack)
    machine.stack = []


def _tuple(machine: Machine, items: tuple[Value, ...]) -> None:
    machine.push("tuple", items, items)


def _append(machine: Machine, items: tuple[Value, ...]) -> None:
    target = machine.stack[-1]
    if target.kind != "list":
        raise ValueError("appends to something else than a list")
    target.depth = max(target.depth, depth_around(items))


def _set_items(machine: Machine, items: tuple[Value, ...]) -> None:
    target, keys = machine.stack[-1], items[::2]
    if target.kind != "dict" or len(items) % 2 or any(key.kind != "plain" for key in keys):
        raise ValueError("sets items that are not pairs of a plain key and a value")
    for key in keys:
        if key.data in target.data:
            raise BadInput(f"has the key {quoted(str(key.data), 80)} twice")
        target.data.add(key.data)
    target.depth = max(target.depth, depth_around(items[1::2]))


def _set_state(machine: Machine, _: None) -> None:
    """An OrderedDict's attributes: a state dict has one, `_metadata`."""
    (state,) = machine.take(1)
    if machine.stack[-1].kind != "dict" or state.kind != "dict" or state.data - {"_metadata"}:
        raise ValueError("sets attributes")


def _remember(machine: Machine, index: int | None) -> None:
    machine.memo[len(machine.memo) if index is None else index] = machine.stack[-1]


def _find_from_stack(machine: Machine, _: None) -> None:
    module, name = machine.take(2)
    find(machine, f"{module.data} {name.data}")


STEPS: dict[str, Callable[[Machine, Any], None]] = {
    **dict.fromkeys(("PROTO", "FRAME", "STOP"), lambda machine, _: None),
    **dict.fromkeys(("NONE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"), _plain),
    **dict.fromkeys(("BINUNICODE", "SHORT_BINUNICODE", "SHORT_BINSTRING"), _plain),
    "NEWTRUE": lambda machine, _: machine.push("plain", True),
    "NEWFALSE": lambda machine, _: machine.push("plain", False),
    "EMPTY_TUPLE": lambda machine, _: machine.push("tuple", ()),
    "EMPTY_LIST": lambda machine, _: machine.push("list"),
    "EMPTY_DICT": lambda machine, _: machine.push("dict", set()),
    "MARK": _mark,
    "TUPLE": lambda machine, _: _tuple(machine, machine.take_marked()),
    "TUPLE1": lambda machine, _: _tuple(machine, machine.take(1)),
    "TUPLE2": lambda machine, _: _tuple(machine, machine.take(2)),
    "TUPLE3": lambda machine, _: _tuple(machine, machine.take(3)),
    "APPEND": lambda machine, _: _append(machine, machine.take(1)),
    "APPENDS": lambda machine, _: _append(machine, machine.take_marked()),
    "SETITEM": lambda machine, _: _set_items(machine, machine.take(2)),
    "SETITEMS": lambda machine, _: _set_items(machine, machine.take_marked()),
    **dict.fromkeys(("BINPUT", "LONG_BINPUT", "MEMOIZE"), _remember),
    **dict.fromkeys(("BINGET", "LONG_BINGET"), lambda machine, index: machine.stack.append(machine.memo[index])),
    **dict.fromkeys(("GLOBAL", "INST"), find),
    "STACK_GLOBAL": _find_from_stack,
    "BINPERSID": lambda machine, _: load_storage(machine, *machine.take(1)),
    "REDUCE": lambda machine, _: call(machine, *machine.take(2)),
    "BUILD": _set_state,
}
