"""Kinds of arguments: each value is checked against its kind before a layer, function or method gets it.

A kind only accepts or refuses by its rule; nothing is converted. `true` is no number, and a number no flag.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import EllipsisType
from typing import Any

import torch
from torch import fx

from explorer.core.checks import require
from explorer.core.text import quoted

LARGEST = 2**31 - 1  # of whole numbers that count or place something


@dataclass(frozen=True)
class ArgumentKind:
    """The kind of an argument: `rule` ends the sentence "it must be ..."; `spread` ones may come one by one, last."""

    rule: str
    holds: Callable[[Any], bool]
    spread: bool = False


@dataclass(frozen=True)
class NodeReference:
    """The value of a graph's node, by the node's name."""

    name: str


Signature = Mapping[str, ArgumentKind]  # parameter -> kind, in the order of positional arguments
ALIASES = {"axis": "dim", "keepdims": "keepdim", "split_size": "split_size_or_sections"}  # other words that torch takes


def takes(**kinds: ArgumentKind) -> Signature:
    """A signature."""
    return kinds


def whole_number_from(least: int) -> ArgumentKind:
    """A whole number within 31 bits."""
    lowest = "-2^31" if least < -LARGEST else str(least)
    return ArgumentKind(f"a whole number from {lowest} to 2^31 - 1", lambda v: _is_whole(v) and least <= v <= LARGEST)


def one_of(*words: str) -> ArgumentKind:
    """One of these words."""
    return ArgumentKind(" or ".join(map(repr, words)), lambda v: isinstance(v, str) and v in words)


def either(*kinds: ArgumentKind) -> ArgumentKind:
    """The kind of whatever is of one of these kinds."""
    rule = " or ".join(kind.rule for kind in kinds)
    return ArgumentKind(rule, lambda v: any(kind.holds(v) for kind in kinds))


def optional(kind: ArgumentKind) -> ArgumentKind:
    """A kind, or None."""
    return either(kind, NOTHING)


def row(kind: ArgumentKind, least: int = 0, most: int = 100_000) -> ArgumentKind:
    """A tuple or list of one kind."""

    def holds(value: Any) -> bool:
        return isinstance(value, (tuple, list)) and least <= len(value) <= most and all(map(kind.holds, value))

    return ArgumentKind(f"{least} to {most} values, each {kind.rule}", holds)


def one_or_row(kind: ArgumentKind, least: int, most: int, *, spread: bool = False) -> ArgumentKind:
    """One kind or a tuple or list of it; `spread` ones may come as the last positional arguments, as in view(2, 3)."""
    both = either(kind, row(kind, least, most))
    return ArgumentKind(f"{kind.rule} or {least} to {most} of these", both.holds, spread)


def check_arguments(what: str, signature: Signature, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Raises BadInput unless each argument has a parameter of its own and is of its kind, and the first one is given.

    `what` names whose arguments these are, as in "node add_1 (torch.add)".
    """
    names, given = list(signature), list(args)
    if len(given) > len(names) > 0 and signature[names[-1]].spread:
        given[len(names) - 1 :] = [tuple(given[len(names) - 1 :])]
    require(len(given) <= len(names), f"{what} takes at most {len(names)} arguments, not {len(given)}")
    named = {ALIASES[k] if k in ALIASES and k not in signature else k: value for k, value in kwargs.items()}
    unknown = [name for name in named if name not in signature]
    require(
        not unknown,
        f"{what} has no argument {quoted(unknown[0] if unknown else '')}; it has {', '.join(names) or 'none'}",
    )
    bound = dict(zip(names, given, strict=False))
    twice = sorted(set(bound) & set(named)) or len(named) < len(kwargs)
    require(not twice, f"{what} is given an argument twice: {quoted(sorted(kwargs))}")
    require(not names or names[0] in {**bound, **named}, f"{what} must be given its {names[0] if names else ''}")
    for name, value in {**bound, **named}.items():
        kind = signature[name]
        require(kind.holds(value), f"{name} of {what} must be {kind.rule}, not {quoted(value)}")


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_real(value: Any) -> bool:
    return (_is_whole(value) and abs(value) <= 2**53) or isinstance(value, float)


# Plain values, which layers are built with.
NOTHING = ArgumentKind("nothing", lambda v: v is None)
FLAG = ArgumentKind("true or false", lambda v: isinstance(v, bool))
COUNT = whole_number_from(1)
AMOUNT = whole_number_from(0)
PLACE = whole_number_from(-LARGEST - 1)
NUMBER = ArgumentKind("a number", _is_real)
FINITE = ArgumentKind("a finite number", lambda v: _is_real(v) and math.isfinite(v))
SHARE = ArgumentKind("a number from 0 to 1", lambda v: _is_real(v) and 0 <= v <= 1)
SIDES = one_or_row(COUNT, 1, 3)
MARGINS = one_or_row(AMOUNT, 1, 3)

# What nodes are called with besides: values of earlier nodes, and what indexes them.
NODE = ArgumentKind("a node", lambda v: isinstance(v, (fx.Node, NodeReference)))
DTYPE = optional(ArgumentKind("a type of numbers", lambda v: isinstance(v, torch.dtype)))
LAYOUT = ArgumentKind("a memory format", lambda v: isinstance(v, torch.memory_format))
DIM = either(PLACE, NODE)  # also of sizes, that another node may have read
DIMS = optional(one_or_row(DIM, 0, 16))
TERM = either(NODE, NUMBER, row(DIM, 0, 16))  # of sums and products; sizes are added as rows
TENSORS = either(NODE, row(NODE, 1))
_SPAN = optional(DIM)
_ELLIPSIS = ArgumentKind("...", lambda v: isinstance(v, EllipsisType))
_SLICE = ArgumentKind("a slice", lambda v: isinstance(v, slice) and all(map(_SPAN.holds, (v.start, v.stop, v.step))))
_PLAIN_INDEX = either(DIM, NOTHING, _ELLIPSIS, _SLICE)
INDEX = ArgumentKind("an index", either(_PLAIN_INDEX, row(either(_PLAIN_INDEX, row(DIM)), 0, 16)).holds)
