"""Numbers of channels that a forward pass writes out, as x.view(-1, 256) does: made to follow what comes in.

The network becomes a list of steps in which such a call asks its input for the size of the batch, and leaves the number
of channels open. It computes the same, and goes on to do so when channels are gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

from explorer.networks.layer_kinds import kind_of
from explorer.networks.tracing import NoGraph, QuietGraph, symbolic_trace

DROPOUTS: Mapping[Any, type[nn.Module]] = {
    F.dropout: nn.Dropout,
    F.dropout1d: nn.Dropout1d,
    F.dropout2d: nn.Dropout2d,
    F.dropout3d: nn.Dropout3d,
    F.alpha_dropout: nn.AlphaDropout,
}
RESHAPING = ("view", "reshape", torch.reshape)
FOLLOW = "These calls count on numbers of channels, which follow what is pruned: {0}."
IMAGES = 3  # that the shapes are looked at with: a number that dimensions seldom are


def following(module: nn.Module, shape: tuple[int, ...]) -> tuple[nn.Module, str] | None:
    """The module in eval mode with its numbers of channels following, and a sentence on the calls that counted on them.

    shape: of one image. None where there is no such call, where the module is no fixed list of steps, where these are
    others in train mode but for dropout, and where not all of its tensors would keep their names. Shares its layers.
    """
    images = torch.randn(IMAGES, *shape, generator=torch.Generator().manual_seed(0))
    try:
        steps = _steps(module)
    except NoGraph:
        return None
    if steps is None:
        return None
    with torch.no_grad():
        given = module(images)
        changed = _changed(steps, images)
        steps = QuietGraph(steps, steps.graph, class_name=type(module).__name__).eval()
        same = torch.allclose(steps(images), given, rtol=1e-4, atol=1e-6)
    _add_unused(steps, module)
    if not (changed and same and steps.state_dict().keys() == module.state_dict().keys()):
        return None
    return steps, FOLLOW.format(", ".join(dict.fromkeys(changed)))


def _steps(module: nn.Module) -> fx.GraphModule | None:
    """The module's steps, dropout as layers; None where they are others in train mode."""
    leaves = [name for name, layer in module.named_modules() if kind_of(layer)]
    try:
        training = symbolic_trace(module.train(), leaves)
    finally:
        module.eval()
    steps = symbolic_trace(module, leaves)
    for graph in (steps, training):
        _dropouts_as_layers(graph)
    return steps if _listed(steps.graph) == _listed(training.graph) else None


def _dropouts_as_layers(steps: fx.GraphModule) -> None:
    for number, node in enumerate(n for n in steps.graph.nodes if n.target in DROPOUTS):
        name = f"functional_dropout_{number}"
        share, inplace = (node.kwargs.get(key, default) for key, default in (("p", 0.5), ("inplace", False)))
        steps.add_submodule(name, DROPOUTS[node.target](share, inplace).train(steps.training))
        with steps.graph.inserting_before(node):
            node.replace_all_uses_with(steps.graph.call_module(name, (node.args[0],)))
        steps.graph.erase_node(node)


def _listed(graph: fx.Graph) -> list[tuple[object, ...]]:
    return [(n.op, str(n.target), str(n.args), str(n.kwargs)) for n in graph.nodes]


def _changed(steps: fx.GraphModule, images: Tensor) -> list[str]:
    """Let the numbers of channels follow; the calls that counted on them, as they are written."""
    shapes = _Shapes(steps)
    shapes.run(images)
    changed = []
    for node in steps.graph.nodes:
        sizes = _sizes(node)
        if sizes and _counts(sizes, shapes.of.get(node.args[0], ()), shapes.of[node]):
            name = getattr(node.target, "__name__", str(node.target))
            changed.append(f"{name}({', '.join(str(s) if isinstance(s, int) else '...' for s in sizes)})")
            shapes.of[_follow(steps.graph, node, shapes.of[node])] = shapes.of[node]
    return changed


class _Shapes(fx.Interpreter):
    """Runs the steps, and keeps the shape of every tensor."""

    def __init__(self, steps: fx.GraphModule) -> None:
        super().__init__(steps)
        self.of: dict[fx.Node, tuple[int, ...]] = {}

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        self.of[n] = tuple(result.shape) if isinstance(result, Tensor) else ()
        return result


def _sizes(node: fx.Node) -> tuple[Any, ...]:
    """The sizes that a step asks a tensor to have; () for other steps."""
    if node.target not in RESHAPING:
        return ()
    given = node.args[1:] or tuple(node.kwargs.get(name) for name in ("size", "shape") if name in node.kwargs)
    return tuple(given[0]) if given and isinstance(given[0], (tuple, list)) else given


def _counts(sizes: tuple[Any, ...], before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """Whether the second size is a number that grows with the channels of what comes in.

    It is one where channels are kept or flattened with what lies within them, and where a row becomes maps again.
    """
    if len(before) < 2 or len(after) < 2 or not before[0] == after[0] == IMAGES or type(sizes[1]) is not int:
        return False
    kept, maps = after[1] % before[1] == 0, len(before) == 2 and before[1] == prod(after[1:])
    return sizes[1] != -1 and (kept or maps)


def _follow(graph: fx.Graph, node: fx.Node, after: tuple[int, ...]) -> fx.Node:
    """Let the number of channels of a step follow; the step that stands in its place."""
    x, sizes = node.args[0], _sizes(node)
    with graph.inserting_before(node):
        batch = graph.call_method("size", (x, 0)) if isinstance(sizes[0], int) else sizes[0]
        others = [after[2 + at] if size == -1 else size for at, size in enumerate(sizes[2:])]
        following = graph.call_method("reshape", (x, batch, -1, *others))
    node.replace_all_uses_with(following)
    graph.erase_node(node)
    return following


def _add_unused(steps: fx.GraphModule, module: nn.Module) -> None:
    """Keep layers that no step calls: they are counted, saved and trained as before."""
    kept = dict(steps.named_modules())
    for name, layer in module.named_modules():
        if name not in kept and any(True for _ in (*layer.parameters(recurse=False), *layer.buffers(recurse=False))):
            steps.add_submodule(name, layer)
