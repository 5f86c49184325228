"""A network as a graph of known operations: plain JSON that needs neither its class nor its code.

    {"nodes": [{"name", "op", "target", "args", "kwargs"}, ...],
     "modules": {dotted name: {"type", "arguments", "fixed"}},
     "tensors": {dotted name: "parameter" | "buffer"}}

`nodes` stand in the order in which they run. `modules` are the torch.nn layers that they call; `fixed` names those
of a layer's weights that training must leave alone. `tensors` are those that nodes read directly. The weights are
not in it: `rebuild.py` takes them from the file beside it.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn.utils.parametrize import is_parametrized

from explorer.core.errors import BadInput
from explorer.networks.graph.module_types import MODULES
from explorer.networks.graph.operations import ATTRIBUTES, FUNCTIONS, METHODS
from explorer.networks.graph.values import encode
from explorer.networks.network import replica
from explorer.networks.tracing import NoGraph, symbolic_trace

_FUNCTION_NAMES = {function.call: name for name, function in FUNCTIONS.items()}
_TYPE_NAMES = {kind.build: name for name, kind in MODULES.items()}
_QUESTIONS = (operator.eq, operator.getitem, getattr)  # calls inside assertions: pure, so they are removed if unused

OUTSIDE = "it uses {0}, which is not among the operations that exported files may hold"


@dataclass(frozen=True)
class TracedGraph:
    """A graph and the tensors that it runs on, under their state-dict names."""

    graph: dict[str, Any]
    tensors: dict[str, Tensor]


def trace(module: nn.Module, name: str) -> TracedGraph:
    """Trace a module in eval mode; `name` stands in the errors.

    Operations that eval mode never runs are left out: unused branches, stochastic depth, assertions about shapes, and
    functional dropout stays off should the reloaded graph be trained. The module itself is not changed.

    Raises BadInput if it is no fixed list of steps, or an operation is not in the tables of `operations.py`.
    """
    traced = _traced(module, name)
    _drop_idle(traced.graph)
    try:
        return _described(traced)
    except BadInput as error:
        raise BadInput(f"{name} can't be exported: {error}.") from None


def why_no_graph(module: nn.Module, name: str) -> str:
    """The sentence that says why a module can't be exported as a graph; "" where it can."""
    try:
        trace(module, name)
    except BadInput as problem:
        return str(problem)
    return ""


def _traced(module: nn.Module, name: str) -> fx.GraphModule:
    """The fx trace of a copy that shares the tensors, since tracing may add constants to its root."""
    layers = [path for path, layer in module.named_modules() if _type_name(layer)]
    try:
        return symbolic_trace(replica(module).eval(), leaves=layers)
    except NoGraph as problem:
        raise BadInput(f"{name} can't be exported: {problem}; {problem.remedy}, and it can.") from problem


def _drop_idle(graph: fx.Graph) -> None:
    """Remove what does nothing in eval mode: stochastic depth, assertions, and the questions only they asked."""
    for node in reversed([n for n in graph.nodes if n.op == "call_function"]):
        if getattr(node.target, "__name__", "") == "stochastic_depth":
            node.replace_all_uses_with(node.args[0])
            graph.erase_node(node)
        elif node.target is torch._assert or (node.target in _QUESTIONS and not node.users):
            graph.erase_node(node)


def _described(traced: fx.GraphModule) -> TracedGraph:
    nodes = [_node(node, traced) for node in traced.graph.nodes]
    called = {n.target for n in traced.graph.nodes if n.op == "call_module"}
    layers = {str(path): traced.get_submodule(str(path)) for path in sorted(called)}
    tensors = {f"{path}.{key}": t for path, layer in layers.items() for key, t in _own_tensors(layer).items()}
    read = {n.target: _tensor(traced, n.target) for n in traced.graph.nodes if n.op == "get_attr"}
    direct = {path: t for path, t in read.items() if path not in tensors}
    graph = {
        "nodes": nodes,
        "modules": {path: _layer(layer, path) for path, layer in layers.items()},
        "tensors": {p: "parameter" if isinstance(t, nn.Parameter) else "buffer" for p, t in direct.items()},
    }
    return TracedGraph(graph, tensors | direct)


def _node(node: fx.Node, traced: fx.GraphModule) -> dict[str, Any]:
    return {
        "name": node.name,
        "op": node.op,
        "target": _target(node, traced),
        "args": [encode(a) for a in node.args],
        "kwargs": {key: encode(a) for key, a in node.kwargs.items()},
    }


def _target(node: fx.Node, traced: fx.GraphModule) -> str:
    """The name that the file gives to what a node does; raises BadInput if it is in no table."""
    if node.op == "call_function":
        name = _FUNCTION_NAMES.get(node.target) if not isinstance(node.target, str) else None
        if name is None or (name == "getattr" and node.args[1] not in ATTRIBUTES):
            raise BadInput(OUTSIDE.format(_shown(node)))
        return name
    if node.op == "call_method" and node.target not in METHODS:
        raise BadInput(OUTSIDE.format(_shown(node)))
    return str(node.target)


def _shown(node: fx.Node) -> str:
    if node.op == "call_method":
        return f"Tensor.{node.target}"
    name = str(getattr(node.target, "__name__", node.target))
    return f"getattr {node.args[1]}" if name == "getattr" else name


def _layer(layer: nn.Module, path: str) -> dict[str, Any]:
    name = _type_name(layer)
    if name is None:
        raise BadInput(OUTSIDE.format(f"a {type(layer).__name__}, {path}"))
    if layer._forward_hooks or layer._forward_pre_hooks:
        raise BadInput(f"layer {path} has a hook, which a file cannot hold")
    arguments = {a: _argument(layer, a) for a in MODULES[name].arguments}
    return {"type": name, "arguments": arguments, "fixed": [n for n in ("weight", "bias") if n in layer._buffers]}


def _type_name(layer: nn.Module) -> str | None:
    """The table's name for a layer's class, or for the one that it inherits all that it does from."""
    if is_parametrized(layer):
        return None  # its weights are computed
    for place, kind in enumerate(type(layer).__mro__):
        if kind in _TYPE_NAMES:
            own = {name for heir in type(layer).__mro__[:place] for name in vars(heir) if not name.startswith("__")}
            return None if own & set(dir(kind)) or type(layer).__call__ is not kind.__call__ else _TYPE_NAMES[kind]
    return None


def _argument(layer: nn.Module, name: str) -> Any:
    value = getattr(layer, name)
    if name == "bias" and not isinstance(value, bool):  # a recurrent layer keeps the flag itself
        return value is not None
    return encode(list(value) if isinstance(value, tuple) else value)


def _own_tensors(layer: nn.Module) -> dict[str, Tensor]:
    return {**dict(layer.named_parameters()), **dict(layer.named_buffers())}


def _tensor(traced: fx.GraphModule, path: str) -> Tensor:
    owner, _, name = path.rpartition(".")
    value = getattr(traced.get_submodule(owner), name)
    if not isinstance(value, Tensor):
        raise BadInput(f"its attribute {path} is a {type(value).__name__}, not a tensor")
    return value
