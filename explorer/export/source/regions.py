"""Which steps of a graph belong together: the blocks that its layers' dotted names speak of, found again.

A block is a run of steps between the first and the last layer under one name, together with the sums and activations
behind it that need nothing from elsewhere. It has one output. Names whose steps are no such run stay plain
containers, and their layers are called by whoever contains them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from explorer.export.source.steps import GraphProgram, GraphStep
from explorer.networks.graph.kinds import NodeReference

_JOINING = frozenset({"add", "iadd", "add_", "mul", "imul", "mul_"})
_ACTIVATIONS = frozenset(
    {"relu", "relu_", "relu6", "silu", "gelu", "hardswish", "hardsigmoid", "sigmoid", "leaky_relu"}
)


@dataclass(frozen=True)
class Region:
    """A block: its dotted name, its place among the steps, and what it is made of in order."""

    path: str
    start: int
    stop: int
    inputs: tuple[str, ...]
    output: str
    parts: tuple[GraphStep | Region, ...]

    @property
    def uses(self) -> tuple[str, ...]:
        """The values that it reads."""
        return self.inputs

    @property
    def name(self) -> str:
        """The value that it makes."""
        return self.output


def whole_network(program: GraphProgram) -> Region:
    """The network as one region, cut into blocks."""
    stop = len(program.steps)
    parts = tuple(_parts(program, "", 0, stop))
    return Region("", 0, stop, (program.input,), program.output, parts)


def lies_under(path: str, prefix: str) -> bool:
    """Whether a dotted name lies inside another; everything lies in the name ""."""
    return not prefix or path.startswith(f"{prefix}.")


def child_of(path: str, prefix: str) -> bool:
    """Whether a dotted name is one step below another."""
    return lies_under(path, prefix) and "." not in path[len(prefix) + bool(prefix) :]


def is_chain(region: Region) -> bool:
    """Whether a region is what nn.Sequential does: its children one after the other, each called once."""
    value, paths = region.inputs, []
    for part in region.parts:
        plain = isinstance(part, Region) or (part.op == "call_module" and part.args == (NodeReference(value[0]),))
        if not plain or part.uses != value or not child_of(str(part.path), region.path):
            return False
        if isinstance(part, GraphStep) and part.kwargs:
            return False
        value = (part.name,)
        paths.append(part.path)
    return len(set(paths)) == len(paths) and value == (region.output,)


def _parts(program: GraphProgram, path: str, start: int, stop: int) -> Iterator[GraphStep | Region]:
    here = start
    while here < stop:
        block = _block_at(program, path, here, stop)
        yield block or program.steps[here]
        here = block.stop if block else here + 1


def _block_at(program: GraphProgram, path: str, start: int, stop: int) -> Region | None:
    """The outermost block inside `path` that begins with this step."""
    first = next((step for step in program.steps[start:stop] if step.path is not None), None)
    if first is None or not lies_under(str(first.path), path):
        return None
    names = str(first.path).split(".")
    depth = len(path.split(".")) if path else 0
    for length in range(depth + 1, len(names)):
        prefix = ".".join(names[:length])
        if prefix not in program.layers and (block := _block(program, prefix, start, first.index, stop)):
            return block
    return None


def _block(program: GraphProgram, prefix: str, start: int, first: int, stop: int) -> Region | None:
    """The block of a name whose first layer is at `first`; what leads up to that from `start` must belong to it."""
    inside = [s.index for s in program.steps if s.path is not None and lies_under(s.path, prefix)]
    end = inside[-1] + 1
    foreign = (s for s in program.steps[first:end] if s.path is not None and not lies_under(s.path, prefix))
    if inside[0] != first or end > stop or any(foreign):
        return None
    longer = _extended(program, first, end, stop)
    if start == first:
        return _checked(program, prefix, first, longer) or _checked(program, prefix, first, end)
    gathers = len(_inputs(program, start, longer)) == 1 < len(_inputs(program, first, longer))
    return _checked(program, prefix, start, longer) if gathers else None


def _checked(program: GraphProgram, prefix: str, start: int, end: int) -> Region | None:
    """These steps as a block, if they have one output and are called as a person would call them."""
    outputs = _outputs(program, start, end)
    if len(outputs) != 1:
        return None
    parts = tuple(_parts(program, prefix, start, end))
    block = Region(prefix, start, end, _inputs(program, start, end), outputs[0], parts)
    return block if block.inputs and (is_chain(block) or not _numbered(block)) else None


def _numbered(block: Region) -> bool:
    """Whether a block's children have numbers for names, which only nn.Sequential calls by itself."""
    first = {part.path[len(block.path) + 1 :].split(".")[0] for part in block.parts if part.path}
    return all(name.isdigit() for name in first)


def _extended(program: GraphProgram, start: int, end: int, stop: int) -> int:
    """The end of a block with what takes its several outputs together, and the sums and activations behind it."""
    best, inputs = end, set(_inputs(program, start, end))
    while end < stop and program.steps[end].path is None:
        scattered = len(_outputs(program, start, best)) > 1
        made = {step.name for step in program.steps[start:end]}
        if not (scattered or _joins(program.steps[end])) or not set(program.steps[end].uses) <= made | inputs:
            break
        end += 1
        best = end if scattered or len(_outputs(program, start, end)) == 1 else best
    return best


def _joins(step: GraphStep) -> bool:
    return step.target.rpartition(".")[2] in _JOINING | _ACTIVATIONS


def _outputs(program: GraphProgram, start: int, end: int) -> list[str]:
    return [step.name for step in program.steps[start:end] if any(user >= end for user in program.users[step.name])]


def _inputs(program: GraphProgram, start: int, end: int) -> tuple[str, ...]:
    made = {step.name for step in program.steps[start:end]}
    used = (name for step in program.steps[start:end] for name in step.uses)
    return tuple(dict.fromkeys(name for name in used if name not in made))
