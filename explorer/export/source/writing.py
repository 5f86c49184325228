"""Classes as lines of source."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from explorer.export.source.classes import ROOT, SourceClass
from explorer.export.source.expressions import is_name, literal, quoted
from explorer.export.source.layout import call, statement
from explorer.export.source.outline import OutlineItem, defaults, is_list

IN_METHOD = 92  # of 100 characters


@dataclass(frozen=True)
class Number:
    """The text of a slot: a literal, or the argument of the class that is being written."""

    text: str
    literal: bool
    value: Any = None


def source(block: SourceClass, made: Mapping[OutlineItem, SourceClass]) -> list[str]:
    """The lines of a class."""
    numbers = _numbers(block)
    if not block.form.forward:
        return [*_head(block, "nn.Sequential"), *_sequential_init(block, numbers, made)]
    lines = [*_head(block, "nn.Module"), *_signature(block), "        super().__init__()"]
    lines += [f"        {line}" for each in _statements(block.form.children, numbers, made, "self") for line in each]
    inputs = ", ".join(f"{name}: Tensor" for name in block.form.inputs)
    forward = (f"        {line}" for each in block.form.forward for line in statement(each, IN_METHOD))
    return [*lines, "", f"    def forward(self, {inputs}) -> Tensor:", *forward]


def _head(block: SourceClass, base: str) -> list[str]:
    return [f"class {block.name}({base}):", f'    """{_places(block)}"""', ""]


def _places(block: SourceClass) -> str:
    if block.name == ROOT:
        return "The whole network: a batch of images to their logits."
    first, *others = block.paths
    return f"{first}." if not others else f"{first} to {others[-1]}, {len(block.paths)} blocks."


def _signature(block: SourceClass) -> list[str]:
    wanted = [f"{name}: {_type(block.values[places[0]])}" for name, places in block.arguments.items()]
    first = f"    def __init__({', '.join(['self', *wanted])}) -> None:"
    if len(first) <= 100:
        return [first]
    return ["    def __init__(", "        self,", *(f"        {each}," for each in wanted), "    ) -> None:"]


def _type(value: Any) -> str:
    if isinstance(value, torch.dtype):
        return "torch.dtype"
    return "tuple[int, ...]" if isinstance(value, tuple) else type(value).__name__ if value is not None else "object"


def _numbers(block: SourceClass) -> list[Number]:
    numbers = [Number(literal(value, {}), True, value) for value in block.values]
    for name, places in block.arguments.items():
        for place in places:
            numbers[place] = Number(name, False)
    return numbers


def _sequential_init(block: SourceClass, numbers: list[Number], made: Mapping[OutlineItem, SourceClass]) -> list[str]:
    children = [_made(form, part, made) for _, form, part in _split(block.form.children, numbers)]
    lines = call("super().__init__", _ordered(block.form.children, children))
    return [*_signature(block), *(f"        {line}" for line in lines)]


def _split(
    children: Sequence[tuple[str, OutlineItem]], numbers: list[Number]
) -> Iterator[tuple[str, OutlineItem, list[Number]]]:
    for name, form in children:
        yield name, form, numbers[: form.size]
        numbers = numbers[form.size :]


def _ordered(children: Sequence[tuple[str, OutlineItem]], made: list[list[str]]) -> list[list[str]]:
    """The arguments of nn.Sequential: its children, or where their names are not 0, 1, 2, ... these as well."""
    names = tuple(name for name, _ in children)
    if is_list(names):
        return made
    pairs = [call("", [[quoted(name)], child]) for name, child in zip(names, made, strict=True)]
    return [call("OrderedDict", [call("", pairs, "[]")])]


def _statements(
    children: Sequence[tuple[str, OutlineItem]],
    numbers: list[Number],
    made: Mapping[OutlineItem, SourceClass],
    owner: str,
) -> Iterator[list[str]]:
    """The statements that give `owner` its children."""
    for name, form, part in _split(children, numbers):
        if form.kind == "tensor":
            yield _tensor(owner, name, form, part)
            continue
        value = _made(form, part, made)
        if is_name(name):
            yield [f"{owner}.{name} = {value[0]}", *value[1:]]
        else:
            yield call(f"{owner}.add_module", [[quoted(name)], value])
        if form.kind == "holder":
            yield from _held_tensors(
                form, part, f"{owner}.{name}" if is_name(name) else f"getattr({owner}, {quoted(name)})"
            )


def _held_tensors(form: OutlineItem, numbers: list[Number], owner: str) -> Iterator[list[str]]:
    for name, child, part in _split(form.children, numbers):
        if child.kind == "tensor":
            yield _tensor(owner, name, child, part)
        elif child.kind == "holder":
            yield from _held_tensors(child, part, f"{owner}.get_submodule({quoted(name)})")


def _tensor(owner: str, name: str, form: OutlineItem, numbers: list[Number]) -> list[str]:
    shape, dtype = numbers
    empty = f"torch.empty({shape.text}" + ("" if dtype.value is torch.float32 else f", dtype={dtype.text}") + ")"
    if form.name == "buffer":
        return [f"{owner}.register_buffer({quoted(name)}, {empty})"]
    return [f"{owner}.register_parameter({quoted(name)}, nn.Parameter({empty}))"]


def _made(form: OutlineItem, numbers: list[Number], made: Mapping[OutlineItem, SourceClass]) -> list[str]:
    """The lines of the expression that makes a child."""
    if form.kind == "layer":
        return _layer(form, numbers)
    if form.kind == "block":
        block = made[form]
        return call(block.name, [[f"{name}={numbers[at[0]].text}"] for name, at in block.arguments.items()])
    parts = [
        (name, child, _made(child, part, made))
        for name, child, part in _split(form.children, numbers)
        if child.kind != "tensor"
    ]
    children, inner = [(name, child) for name, child, _ in parts], [lines for *_, lines in parts]
    if form.kind == "sequence":
        return call("nn.Sequential", _ordered(children, inner))
    if is_list(tuple(name for name, _ in form.children)):
        return call("nn.ModuleList", [call("", inner, "[]")])
    named = [[f"{quoted(name)}: {lines[0]}", *lines[1:]] for (name, _), lines in zip(children, inner, strict=True)]
    return call("nn.ModuleDict", [call("", named, "{}")])


def _layer(form: OutlineItem, numbers: list[Number]) -> list[str]:
    """A layer with those of its arguments that are not defaults, the leading ones without their names."""
    known, arguments, in_order = defaults(form.name), [], True
    given = dict(zip(form.arguments, numbers, strict=True))
    for name in [*(n for n in known if n in given), *(n for n in given if n not in known)]:
        number = given[name]
        default = known.get(name, inspect.Parameter.empty)
        if number.literal and default is not inspect.Parameter.empty and repr(number.value) == repr(default):
            in_order = False
            continue
        plain = in_order and default is inspect.Parameter.empty and name in known
        arguments.append(number.text if plain else f"{name}={number.text}")
    made = f"nn.{form.name}({', '.join(arguments)})"
    return statement(f"fixed({made})" if form.fixed else made)
