"""Single operations of a graph as Python expressions."""

from __future__ import annotations

import inspect
import keyword
from collections.abc import Callable, Mapping
from typing import Any

from explorer.export.operations import FUNCTIONS
from explorer.export.source.steps import Step

INFIX = {
    **{"add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "pow": "**", "matmul": "@"},
    **{"iadd": "+", "isub": "-", "imul": "*", "itruediv": "/"},
}
IN_PLACE = frozenset({"operator.iadd", "operator.isub", "operator.imul", "operator.itruediv"})
Names = Mapping[str, str]  # value -> the expression that stands for it


def literal(value: Any, names: Names) -> str:
    """An argument in its JSON form as source."""
    if isinstance(value, list):
        return f"[{', '.join(literal(v, names) for v in value)}]"
    if not isinstance(value, dict):
        return quoted(value)
    ((kind, content),) = value.items()
    if kind == "tuple":
        inner = ", ".join(literal(v, names) for v in content)
        return f"({inner},)" if len(content) == 1 else f"({inner})"
    if kind == "slice":
        return f"slice({', '.join(literal(v, names) for v in content)})"
    plain = {"dtype": f"torch.{content}", "memory_format": f"torch.{content}", "float": f'float("{content}")'}
    return names[content] if kind == "node" else plain.get(kind, "...")


def expression(step: Step, names: Names, access: Callable[[str], str], *, in_place: bool = False) -> str:
    """What a step computes; `access` says how its layer or tensor is reached.

    in_place: whether an in-place sum must change its operand, since somebody else reads it too.
    """
    if step.op == "get_attr":
        return access(step.target)
    if step.op == "call_module":
        return _call(access(step.target), step.args, step.kwargs, names)
    if step.op == "call_method":
        return _call(f"{_operand(step.args[0], names)}.{step.target}", step.args[1:], step.kwargs, names)
    return _function(step, names, in_place)


def _function(step: Step, names: Names, in_place: bool) -> str:
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


def _telling(step: Step) -> dict[str, Any]:
    """The keyword arguments of a function that are not its defaults."""
    try:
        known = inspect.signature(FUNCTIONS[step.target]).parameters
    except (ValueError, TypeError):  # written in C
        return dict(step.kwargs)
    return {k: v for k, v in step.kwargs.items() if k not in known or known[k].default != v}


def _call(what: str, args: list[Any], kwargs: Mapping[str, Any], names: Names) -> str:
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
    """What stands between square brackets."""
    parts = value["tuple"] if isinstance(value, dict) and value.get("tuple") else [value]
    return ", ".join(_slice(part, names) for part in parts)


def _slice(value: Any, names: Names) -> str:
    if not (isinstance(value, dict) and "slice" in value):
        return literal(value, names)
    start, stop, step = ("" if v is None else literal(v, names) for v in value["slice"])
    return f"{start}:{stop}" + (f":{step}" if step else "")


def quoted(value: object) -> str:
    """A plain value as source, strings in double quotes where that needs no escapes."""
    plain = repr(value)
    return f'"{plain[1:-1]}"' if plain[0] == "'" and '"' not in plain else plain


def is_name(text: str) -> bool:
    """Whether a layer's name can be written behind a dot."""
    return text.isidentifier() and not keyword.iskeyword(text)
