"""Single operations of a graph as Python expressions."""

from __future__ import annotations

import inspect
import keyword
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from explorer.export.source.steps import GraphStep
from explorer.networks.graph.kinds import NodeReference
from explorer.networks.graph.operations import FUNCTIONS
from explorer.networks.graph.values import DTYPES, MEMORY_FORMATS

INFIX = {
    **{"add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "pow": "**", "matmul": "@"},
    **{"iadd": "+", "isub": "-", "imul": "*", "itruediv": "/"},
}
IN_PLACE = frozenset({"operator.iadd", "operator.isub", "operator.imul", "operator.itruediv"})
_TORCH_NAMES = {value: f"torch.{name}" for name, value in (DTYPES | MEMORY_FORMATS).items()}
Names = Mapping[str, str]  # value -> the expression that stands for it


_ROWS = {list: "[{}]", tuple: "({})"}


def literal(value: Any, names: Names) -> str:
    """An argument as source: what is printed depends on its type alone, so no text is ever taken for source."""
    if isinstance(value, NodeReference):
        return names[value.name]
    if isinstance(value, (list, tuple)):
        comma = "," if isinstance(value, tuple) and len(value) == 1 else ""
        return _ROWS[type(value)].format(", ".join(literal(v, names) for v in value) + comma)
    if isinstance(value, slice):
        return f"slice({', '.join(literal(v, names) for v in (value.start, value.stop, value.step))})"
    if isinstance(value, (torch.dtype, torch.memory_format)):
        return _TORCH_NAMES[value]
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if value is None or isinstance(value, (bool, int, float, str)):
        return quoted(value)
    if value is ...:
        return "..."
    raise TypeError(f"{type(value).__name__} has no source")


def expression(step: GraphStep, names: Names, access: Callable[[str], str], *, in_place: bool = False) -> str:
    """The expression that a step computes; `access` says how its layer or tensor is reached.

    in_place: whether an in-place sum must change its operand, since another step reads it too.
    """
    if step.op == "get_attr":
        return access(step.target)
    if step.op == "call_module":
        return _call(access(step.target), step.args, step.kwargs, names)
    if step.op == "call_method":
        return _call(f"{_operand(step.args[0], names)}.{step.target}", step.args[1:], step.kwargs, names)
    return _function(step, names, in_place)


def _function(step: GraphStep, names: Names, in_place: bool) -> str:
    family, _, name = step.target.rpartition(".")
    if step.target == "getattr":
        return f"{_operand(step.args[0], names)}.{step.args[1]}"
    if family != "operator" or (step.target in IN_PLACE and in_place):
        owner = "F" if family == "torch.nn.functional" else family
        return _call(f"{owner}.{name}", step.args, _telling(step), names)
    if name == "getitem":
        return f"{_operand(step.args[0], names)}[{_index(step.args[1], names)}]"
    if name == "neg":
        return f"-{_operand(step.args[0], names)}"
    left, right = (_operand(value, names) for value in step.args)
    return f"{left} {INFIX[name]} {right}"


def _telling(step: GraphStep) -> dict[str, Any]:
    """The keyword arguments of a function that are not its defaults."""
    try:
        known = inspect.signature(FUNCTIONS[step.target].call).parameters
    except (ValueError, TypeError):  # written in C
        return dict(step.kwargs)
    return {k: v for k, v in step.kwargs.items() if k not in known or known[k].default != v}


def _call(what: str, args: Sequence[Any], kwargs: Mapping[str, Any], names: Names) -> str:
    named = [f"{key}={literal(v, names)}" for key, v in kwargs.items()]
    return f"{what}({', '.join([*(literal(v, names) for v in args), *named])})"


def _operand(value: Any, names: Names) -> str:
    """An argument that binds at least as tightly as a name."""
    text = literal(value, names)
    return f"({text})" if " " in _outside_brackets(text) or text.startswith("-") else text


def _outside_brackets(text: str) -> str:
    depth, outside = 0, []
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        outside.append(letter if not depth else "")
    return "".join(outside)


def _index(value: Any, names: Names) -> str:
    """The text between square brackets."""
    parts = value if isinstance(value, tuple) and value else [value]
    return ", ".join(_slice(part, names) for part in parts)


def _slice(part: Any, names: Names) -> str:
    if not isinstance(part, slice):
        return literal(part, names)
    start, stop, step = ("" if v is None else literal(v, names) for v in (part.start, part.stop, part.step))
    return f"{start}:{stop}" + (f":{step}" if step else "")


def quoted(value: object) -> str:
    """A plain value as source, strings in double quotes where that needs no escapes."""
    plain = repr(value)
    return f'"{plain[1:-1]}"' if plain[0] == "'" and '"' not in plain else plain


def is_name(text: str) -> bool:
    """Whether a layer's name can be written behind a dot."""
    return text.isidentifier() and not keyword.iskeyword(text)
