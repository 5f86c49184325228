"""The body of a block's `forward`: statements with few, short names, nested where a person would nest them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

from explorer.export.source.allowed import RESERVED
from explorer.export.source.expressions import IN_PLACE, expression, is_name
from explorer.export.source.regions import Region
from explorer.export.source.steps import GraphProgram, GraphStep, references

MAX_EXPRESSION_LENGTH = 88  # characters of a nested expression
LETTERS = "xyzuvw"


@dataclass
class _Scope:
    """The names in use while a body is written."""

    names: dict[str, str] = field(default_factory=dict)  # value -> variable, or a whole expression not yet written
    held: dict[str, str] = field(default_factory=dict)  # variable -> the value that it holds
    lines: list[str] = field(default_factory=list)


def parameters(region: Region) -> list[str]:
    """The names of a block's inputs."""
    return list(_letters(len(region.inputs)))


def body(program: GraphProgram, region: Region, access: Callable[[str], str]) -> list[str]:
    """The statements; `access` says how a layer inside the block is reached from its `self`."""
    scope = _Scope()
    for value, name in zip(region.inputs, parameters(region), strict=True):
        scope.names[value], scope.held[name] = name, value
    for place, part in enumerate(region.parts):
        made = _expression(program, part, scope, access)
        following = region.parts[place + 1] if place + 1 < len(region.parts) else None
        if following is None and part.name == region.output:
            return [*scope.lines, f"return {made}"]
        if _nests(program, part, following, made):
            scope.names[part.name] = made
        else:
            _assign(program, region, part, made, following, scope)
    return [*scope.lines, f"return {scope.names[region.output]}"]


def _expression(program: GraphProgram, part: GraphStep | Region, scope: _Scope, access: Callable[[str], str]) -> str:
    if isinstance(part, Region):
        return f"{access(part.path)}({', '.join(scope.names[value] for value in part.inputs)})"
    shared = part.target in IN_PLACE and not _private(program, part)
    return expression(part, scope.names, access, in_place=shared)


def _private(program: GraphProgram, step: GraphStep) -> bool:
    """Whether an in-place sum changes its operand unseen: a layer made it, and only for this sum."""
    owner = next((s for s in program.steps if s.name == step.uses[0]), None)
    return owner is not None and owner.op == "call_module" and program.users[owner.name] == (step.index,)


def _nests(program: GraphProgram, part: GraphStep | Region, following: GraphStep | Region | None, made: str) -> bool:
    """Whether a value may be written where it is used: once, in the very next step."""
    if following is None or part.name not in following.uses or len(made) > MAX_EXPRESSION_LENGTH:
        return False
    once = (
        program.users[part.name] == (following.index,)
        if isinstance(following, GraphStep)
        else _only(program, part, following)
    )
    return once and (isinstance(following, Region) or _mentions(following, part.name) == 1)


def _only(program: GraphProgram, part: GraphStep | Region, region: Region) -> bool:
    return all(region.start <= user < region.stop for user in program.users[part.name])


def _mentions(step: GraphStep, value: str) -> int:
    return list(references([step.args, list(step.kwargs.values())])).count(value)


def _assign(
    program: GraphProgram,
    region: Region,
    part: GraphStep | Region,
    made: str,
    following: GraphStep | Region | None,
    scope: _Scope,
) -> None:
    end = part.stop if isinstance(part, Region) else part.index + 1
    dead = [name for name, value in scope.held.items() if not _needed(program, region, value, end)]
    brief = following is not None and part.name in following.uses and max(program.users[part.name]) <= _end(following)
    name = _variable(part, scope, dead, brief)
    scope.held[name], scope.names[part.name] = part.name, name
    scope.lines.append(f"{name} = {made}")


def _end(part: GraphStep | Region) -> int:
    return part.stop - 1 if isinstance(part, Region) else part.index


def _needed(program: GraphProgram, region: Region, value: str, after: int) -> bool:
    return value == region.output or any(user >= after for user in program.users[value] if user < region.stop)


def _variable(part: GraphStep | Region, scope: _Scope, dead: list[str], brief: bool) -> str:
    """A letter that is free again for what is used at once; the layer's own name for what lives longer."""
    own = (part.path or "").rpartition(".")[2]
    if not brief and is_name(own) and own not in RESERVED and own not in LETTERS and own not in scope.held:
        return own
    letters = [name for name in dead if name in _letters(len(scope.held))]
    return letters[0] if letters else next(name for name in _letters() if name not in scope.held)


def _letters(most: int | None = None) -> Iterator[str]:
    """x, y, z, u, v, w, x1, x2, ..."""
    for place in count() if most is None else range(most):
        yield LETTERS[place] if place < len(LETTERS) else f"x{place - len(LETTERS) + 1}"
