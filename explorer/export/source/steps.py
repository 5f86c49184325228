"""The steps of an exported graph, as the source writer reads them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Step:
    """One node of a graph; arguments are in their JSON form, see `explorer.export.values`."""

    index: int
    name: str
    op: str
    target: str
    args: list[Any]
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
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        for key, content in value.items():
            if key == "node":
                yield content
            else:
                yield from references(content)


@dataclass(frozen=True)
class Program:
    """A graph as a list of steps from one input to one output."""

    steps: tuple[Step, ...]
    input: str
    output: str
    layers: Mapping[str, Any]  # dotted name -> {"type", "arguments", "fixed"}
    tensors: Mapping[str, str]  # dotted name -> "parameter" | "buffer"
    users: Mapping[str, tuple[int, ...]]  # value -> the indices of the steps that read it; the output reads last


def program(graph: Mapping[str, Any]) -> Program:
    """The program of a graph that `graph.trace` has written."""
    nodes = graph["nodes"]
    given = next(node["name"] for node in nodes if node["op"] == "placeholder")
    (output,) = references(nodes[-1]["args"])
    inner = [node for node in nodes if node["op"] not in ("placeholder", "output")]
    steps = tuple(
        Step(i, node["name"], node["op"], node["target"], node["args"], node["kwargs"]) for i, node in enumerate(inner)
    )
    users: dict[str, list[int]] = {name: [] for name in (given, *(step.name for step in steps))}
    for step in steps:
        for name in step.uses:
            users[name].append(step.index)
    users[output].append(len(steps))
    return Program(
        steps, given, output, graph["modules"], graph["tensors"], {name: tuple(found) for name, found in users.items()}
    )
