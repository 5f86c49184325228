"""The outline of a block, apart from its numbers: two blocks of one form can share a class."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from explorer.export.source.expressions import is_name, quoted
from explorer.export.source.forward import body, parameters
from explorer.export.source.regions import Region, is_chain
from explorer.export.source.steps import GraphProgram, LayerModule
from explorer.networks.graph.module_types import MODULES

SHORT = {
    **{"in_channels": "in", "in_features": "in", "input_size": "in", "out_channels": "out", "out_features": "out"},
    **{"num_features": "width", "num_channels": "width", "kernel_size": "kernel", "hidden_size": "hidden"},
}


@dataclass(frozen=True)
class OutlineItem:
    """One thing that a block's __init__ makes; its numbers lie in slots beside it.

    kind: "layer" (name = its type), "tensor" (name = "parameter" or "buffer"), "sequence" (children one after the
    other), "holder" (children called by whoever holds them) or "block" (a class of its own, with its forward).
    """

    kind: str
    name: str = ""
    children: tuple[tuple[str, OutlineItem], ...] = ()
    arguments: tuple[str, ...] = ()  # of a layer: the names that its slots have
    fixed: bool = False  # a layer that training leaves alone
    inputs: tuple[str, ...] = ()  # of a block's forward
    forward: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many slots it has."""
        return sum(child.size for _, child in self.children) + len(self.arguments)


@dataclass(frozen=True)
class Slot:
    """One number of a form, and what to call it where it differs between blocks."""

    label: str
    value: Any


@dataclass(frozen=True)
class Outline:
    """A form with its numbers; `uses` are the blocks inside, itself last, each with its dotted name."""

    form: OutlineItem
    slots: tuple[Slot, ...]
    blocks: tuple[tuple[str, OutlineItem, tuple[Slot, ...]], ...] = ()


def outline(program: GraphProgram, tensors: Mapping[str, Tensor], region: Region) -> Outline:
    """The outline of a region and of all blocks in it."""
    tree: dict[str, Any] = {}
    for part in region.parts:
        if part.path is not None:
            _plant(tree, _relative(part.path, region.path), part, program)
    children = {name: _grow(program, tensors, name, branch) for name, branch in tree.items()}
    form = _form(program, region, {name: child.form for name, child in children.items()})
    slots = tuple(slot for child in children.values() for slot in child.slots)
    inner = tuple(block for child in children.values() for block in child.blocks)
    own = ((region.path, form, slots),) if form.kind == "block" else ()
    return Outline(form, slots, (*inner, *own))


def _relative(path: str, prefix: str) -> tuple[str, ...]:
    return tuple(path[len(prefix) + bool(prefix) :].split("."))


def _plant(tree: dict[str, Any], names: tuple[str, ...], part: Any, program: GraphProgram) -> None:
    """Put a part into the tree of children; what reads a called layer's own weight adds nothing to it."""
    *holders, last = names
    for name in holders:
        tree = tree.setdefault(name, {})
        if not isinstance(tree, dict):
            return
    tree.setdefault(last, part)
    owner = part.path.rpartition(".")[0]
    if not isinstance(part, Region) and part.op == "get_attr" and owner in program.layers:
        tree.pop(last)


def _form(program: GraphProgram, region: Region, children: Mapping[str, OutlineItem]) -> OutlineItem:
    named = tuple(children.items())
    if is_chain(region) and all(name.isdigit() for name in children):
        return OutlineItem("sequence" if region.path else "block", children=named)
    lines = body(program, region, lambda path: access(_relative(path, region.path), children))
    return OutlineItem("block", children=named, inputs=tuple(parameters(region)), forward=tuple(lines))


def access(names: tuple[str, ...], children: Mapping[str, OutlineItem], owner: str = "self") -> str:
    """How a layer or tensor is reached from the `self` of the block that it is in."""
    first, *rest = names
    reached = f"{owner}.{first}" if is_name(first) else f"getattr({owner}, {quoted(first)})"
    form = children.get(first)
    for name in rest:
        inside = dict(form.children) if form and form.kind == "holder" else {}
        key = name if is_list(tuple(inside)) else quoted(name)
        reached = f"{reached}[{key}]" if name in inside and inside[name].kind != "tensor" else f"{reached}.{name}"
        form = inside.get(name)
    return reached


def is_list(names: tuple[str, ...]) -> bool:
    """Whether names are 0, 1, 2, ... as those of a list's children are."""
    return names == tuple(map(str, range(len(names))))


def _grow(program: GraphProgram, tensors: Mapping[str, Tensor], name: str, branch: Any) -> Outline:
    if isinstance(branch, dict):
        found = {key: _grow(program, tensors, key, twig) for key, twig in branch.items()}
        form = OutlineItem("holder", children=tuple((key, child.form) for key, child in found.items()))
        slots = tuple(slot for child in found.values() for slot in child.slots)
        made = Outline(form, slots, tuple(block for child in found.values() for block in child.blocks))
    elif isinstance(branch, Region):
        made = outline(program, tensors, branch)
    elif branch.op == "get_attr":
        made = _tensor(program.tensors[branch.target], tensors[branch.target])
    else:
        made = _layer(program.layers[branch.target])
    prefixed = tuple(Slot(f"{name}_{slot.label}", slot.value) for slot in made.slots)
    return Outline(made.form, prefixed, made.blocks)


def _tensor(kind: str, tensor: Tensor) -> Outline:
    slots = (Slot("shape", tuple(tensor.shape)), Slot("dtype", tensor.dtype))
    return Outline(OutlineItem("tensor", kind, arguments=("shape", "dtype")), slots)


def _layer(layer: LayerModule) -> Outline:
    arguments = {name: _plain(layer.type, name, value) for name, value in layer.arguments.items()}
    if "Pool" in layer.type and "stride" in arguments and arguments["stride"] == arguments["kernel_size"]:
        arguments["stride"] = None
    slots = tuple(Slot(SHORT.get(name, name), value) for name, value in arguments.items())
    return Outline(OutlineItem("layer", layer.type, arguments=tuple(arguments), fixed=layer.fixed), slots)


def _plain(kind: str, name: str, value: Any) -> Any:
    """A constructor's argument as a person gives it: one number for equal sides."""
    sides = name in ("kernel_size", "stride", "padding", "dilation", "output_padding")
    equal = isinstance(value, tuple) and len(set(value)) == 1
    return value[0] if sides and equal and kind.startswith("Conv") else value


def defaults(kind: str) -> dict[str, Any]:
    """The arguments of a layer's constructor in order, with their defaults; `inspect.Parameter.empty` where none."""
    known = inspect.signature(MODULES[kind].build).parameters.values()
    return {p.name: p.default for p in known if p.kind is p.POSITIONAL_OR_KEYWORD}
