"""From a graph's JSON and a file's tensors back to a module, trusting neither.

Names are looked up in the tables of `operations.py` and `module_types.py` alone, every argument must be of the kind
that these declare, layers are built without memory (on the meta device), and the graph is run once on shapes before
a weight is touched: nothing in a file can run code, claim memory that the file does not hold, or fail later than here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, fx, nn

from explorer.core.bounds import EXPORT_NODES
from explorer.core.checks import fields, is_identifier, is_path, items, require
from explorer.core.errors import BadInput
from explorer.core.text import first_line, quoted
from explorer.networks.graph.dryrun import output_shape
from explorer.networks.graph.kinds import TENSORS, Signature, check_arguments, takes
from explorer.networks.graph.module_types import INPUTS, MODULES
from explorer.networks.graph.operations import FUNCTIONS, METHODS
from explorer.networks.graph.values import decode, decode_plain
from explorer.networks.tracing import QuietGraph

OPS = ("placeholder", "get_attr", "call_module", "call_function", "call_method", "output")
_TAKES: Mapping[str, Signature] = {
    **dict.fromkeys(("placeholder", "get_attr"), takes()),
    "call_module": INPUTS,
    "output": takes(output=TENSORS),
}
RESERVED = ("meta", "classes", "preprocessing", "manifest")  # attributes of the reloaded module


def rebuild(
    graph: Any, tensors: Mapping[str, Tensor], input_shape: tuple[int, ...], classes: int, *, own: bool = False
) -> fx.GraphModule:
    """The module of a graph in eval mode, its weights frozen and equal to `tensors` (not copied).

    input_shape is one image's; the graph must map (1, *input_shape) to (1, outputs) with outputs >= classes. That is
    tried on the meta device, which takes torch seconds to set up; a file that ships with the project (`own`) is spared.

    Raises BadInput for anything that `graph.trace` would not have written.
    """
    try:
        module = _skeleton(graph, tensors)
        if not own:
            _check_output(output_shape(module, input_shape), classes)
    except BadInput:
        raise
    except Exception as error:  # torch raises every type there is on nonsense arguments
        raise BadInput(f"This export's manifest is damaged: its graph cannot be built: {first_line(error)}.") from error
    module.load_state_dict(dict(tensors), strict=True, assign=True)
    return module.eval().requires_grad_(False)


def _skeleton(graph: Any, tensors: Mapping[str, Tensor]) -> fx.GraphModule:
    """The module on the meta device, with the names, shapes and dtypes of `tensors`."""
    graph = fields(graph, ("nodes", "modules", "tensors"), "the graph")
    root = nn.Module()
    with torch.device("meta"):
        _add_layers(root, graph["modules"], graph["nodes"])
    _add_tensors(root, graph["tensors"], tensors)
    root = root.to(_float_type(tensors))
    _check_tensors(root.state_dict(), tensors)
    return QuietGraph(root, _nodes(graph["nodes"], root), class_name="PrunedNetwork").eval()


def _add_layers(root: nn.Module, layers: Any, nodes: Any) -> None:
    require(
        isinstance(layers, dict) and len(layers) <= EXPORT_NODES.most,
        f"modules must be an object of at most {EXPORT_NODES.most}",
    )
    called = {n.get("target") for n in items(nodes, "nodes", EXPORT_NODES.most) if _is_call(n)}
    require(called == set(layers), "modules must be exactly those that nodes call")
    for path, layer in layers.items():
        _container(root, path).add_module(path.rpartition(".")[2], _layer(layer, path))


def _is_call(node: Any) -> bool:
    return isinstance(node, dict) and node.get("op") == "call_module" and isinstance(node.get("target"), str)


def _layer(layer: Any, path: str) -> nn.Module:
    layer = fields(layer, ("type", "arguments", "fixed"), f"module {path}")
    known = isinstance(layer["type"], str) and layer["type"] in MODULES
    require(known, f"module {path} has the type {quoted(layer['type'])}, which is not in the list")
    kind = MODULES[layer["type"]]
    given = fields(layer["arguments"], tuple(kind.arguments), f"the arguments of module {path}")
    arguments = {name: decode_plain(value) for name, value in given.items()}
    check_arguments(f"module {path} ({layer['type']})", kind.arguments, (), arguments)
    built = kind.build(**arguments)
    for name in items(layer["fixed"], "fixed"):
        weight = built._parameters.pop(name, None) if isinstance(name, str) else None
        if weight is None:
            raise BadInput(f"This export's manifest is damaged: module {path} has no weight {quoted(name)} to fix.")
        built.register_buffer(name, weight.detach())
    return built


def _container(root: nn.Module, path: str) -> nn.Module:
    """The module that holds the last part of a dotted path, made of plain modules where it is missing."""
    require(is_path(path), f"{quoted(path)} is no module path")
    first, *_ = path.split(".")
    require(not hasattr(fx.GraphModule, first) and first not in RESERVED, f"the name {first} is taken")
    for part in path.split(".")[:-1]:
        if part not in root._modules:
            root.add_module(part, nn.Module())
        root = root.get_submodule(part)
    return root


def _add_tensors(root: nn.Module, kinds: Any, tensors: Mapping[str, Tensor]) -> None:
    """Register the tensors that nodes read directly, without their memory."""
    require(
        isinstance(kinds, dict) and len(kinds) <= EXPORT_NODES.most,
        f"tensors must be an object of at most {EXPORT_NODES.most}",
    )
    for path, kind in kinds.items():
        known = kind in ("parameter", "buffer")
        require(known, f"tensor {quoted(path)} must be a parameter or a buffer, not {quoted(kind)}")
        require(path in tensors, f"the tensor {quoted(path)} is not in the file")
        owner, name = _container(root, path), path.rpartition(".")[2]
        empty = torch.empty_like(tensors[path], device="meta")
        if kind == "parameter":
            owner.register_parameter(name, nn.Parameter(empty, requires_grad=False))
        else:
            owner.register_buffer(name, empty)


def _float_type(tensors: Mapping[str, Tensor]) -> torch.dtype:
    kinds = {t.dtype for t in tensors.values() if t.is_floating_point()}
    require(len(kinds) <= 1, f"weights must be of one floating type, not {quoted(sorted(map(str, kinds)))}")
    return kinds.pop() if kinds else torch.float32


def _check_tensors(expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    """Names, shapes and types must match exactly, and weights be finite."""
    for name in sorted({*expected, *found}):
        require(name in found, f"the tensor {quoted(name)} is not in the file")
        require(name in expected, f"the file's tensor {quoted(name)} belongs to no layer")
        want, have = expected[name], found[name]
        same = want.shape == have.shape and want.dtype == have.dtype
        require(same, f"tensor {name} is {_form(have)}, but its layer needs {_form(want)}")
        finite = have.is_meta or not have.is_floating_point() or bool(have.isfinite().all())
        require(finite, f"tensor {name} holds values that are not finite")


def _form(tensor: Tensor) -> str:
    return f"{tuple(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"


def _nodes(nodes: list[Any], root: nn.Module) -> fx.Graph:
    graph, built = fx.Graph(), dict[str, fx.Node]()
    ops = [n.get("op") if isinstance(n, dict) else None for n in nodes]
    require(ops.count("placeholder") == 1, "a network must have exactly one input")
    require(ops.count("output") == 1 and ops[-1] == "output", "a network must have exactly one output, its last node")
    for node in nodes:
        node = fields(node, ("name", "op", "target", "args", "kwargs"), "a node")
        require(
            is_identifier(node["name"]) and node["name"] not in built, f"{quoted(node['name'])} is no new node name"
        )
        built[node["name"]] = _node(node, graph, built, root)
    return graph


def _node(node: dict[str, Any], graph: fx.Graph, built: Mapping[str, fx.Node], root: nn.Module) -> fx.Node:
    args = tuple(decode(a, built) for a in items(node["args"], "args"))
    require(isinstance(node["kwargs"], dict), "kwargs must be an object")
    kwargs = {key: decode(a, built) for key, a in node["kwargs"].items()}
    target, signature = _target(node["op"], node["target"], root)
    check_arguments(f"node {node['name']} ({quoted(node['target'])})", signature, args, kwargs)
    return graph.create_node(node["op"], target, args, kwargs, name=node["name"])


def _target(op: Any, target: Any, root: nn.Module) -> tuple[Any, Signature]:
    """A node's operation and its arguments, looked up in the tables or among the layers and tensors already checked."""
    require(op in OPS, f"{quoted(op)} is no kind of node")
    require(isinstance(target, str), f"{quoted(target)} is no target")
    if op == "call_function":
        require(target in FUNCTIONS, f"operation {quoted(target)} is not in the list")
        return FUNCTIONS[target].call, FUNCTIONS[target].arguments
    if op == "call_method":
        require(target in METHODS, f"operation {quoted(target)} is not in the list")
        return target, METHODS[target]
    if op == "get_attr":
        require(is_path(target) and target in root.state_dict(), f"there is no tensor {quoted(target)}")
    return {"placeholder": "x", "output": "output"}.get(op, target), _TAKES[op]


def _check_output(shape: tuple[int, ...], classes: int) -> None:
    good = len(shape) == 2 and shape[0] == 1 and shape[1] >= max(classes, 1)
    require(good, f"one image must give (1, at least {classes}) outputs, not {quoted(shape)}")
