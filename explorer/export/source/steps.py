"""The steps of an exported graph, as the source writer reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from explorer.networks.graph.kinds import NodeReference
from explorer.networks.graph.values import decode, decode_plain


@dataclass(frozen=True)
class GraphStep:
    """One node of a graph; its arguments are values, those of other nodes as references."""

    index: int
    name: str
    op: str
    target: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    @property
    def path(self) -> str | None:
        """The dotted name of the layer or the tensor that it reads, None for plain functions."""
        return self.target if self.op in ("call_module", "get_attr") else None

    @property
    def uses(self) -> tuple[str, ...]:
        """The values that it reads, each once, in order."""
        return tuple(dict.fromkeys(references([self.args, list(self.kwargs.values())])))


def references(value: Any) -> Iterator[str]:
    """The names of the nodes that an argument refers to, in order."""
    if isinstance(value, NodeReference):
        yield value.name
    elif isinstance(value, slice):
        yield from references((value.start, value.stop, value.step))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from references(item)


@dataclass(frozen=True)
class LayerModule:
    """A layer of a graph: its type's name, its constructor's arguments, and whether training leaves it alone."""

    type: str
    arguments: Mapping[str, Any]
    fixed: bool


@dataclass(frozen=True)
class GraphProgram:
    """A graph as a list of steps from one input to one output."""

    steps: tuple[GraphStep, ...]
    input: str
    output: str
    layers: Mapping[str, LayerModule]  # by dotted name
    tensors: Mapping[str, str]  # dotted name -> "parameter" | "buffer"
    users: Mapping[str, tuple[int, ...]]  # value -> the indices of the steps that read it; the output reads last


def program(graph: Mapping[str, Any]) -> GraphProgram:
    """The program of a graph that `graph.trace` has written."""
    *nodes, last = graph["nodes"]
    known = {node["name"]: NodeReference(node["name"]) for node in nodes}
    given = next(node["name"] for node in nodes if node["op"] == "placeholder")
    (output,) = references(decode(last["args"], known))
    inner = [node for node in nodes if node["op"] != "placeholder"]
    steps = tuple(_step(place, node, known) for place, node in enumerate(inner))
    users: dict[str, list[int]] = {name: [] for name in (given, *(step.name for step in steps))}
    for step in steps:
        for name in step.uses:
            users[name].append(step.index)
    users[output].append(len(steps))
    layers = {path: _layer(layer) for path, layer in graph["modules"].items()}
    found = {name: tuple(places) for name, places in users.items()}
    return GraphProgram(steps, given, output, layers, graph["tensors"], found)


def _step(place: int, node: Mapping[str, Any], known: Mapping[str, NodeReference]) -> GraphStep:
    args = tuple(decode(value, known) for value in node["args"])
    kwargs = {key: decode(value, known) for key, value in node["kwargs"].items()}
    return GraphStep(place, node["name"], node["op"], node["target"], args, kwargs)


def _layer(layer: Mapping[str, Any]) -> LayerModule:
    arguments = {name: decode_plain(value) for name, value in layer["arguments"].items()}
    return LayerModule(layer["type"], arguments, bool(layer["fixed"]))
