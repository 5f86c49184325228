"""Hostile and damaged manifests: each is refused with a sentence, and none runs, loads or claims anything."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from exported import CLASSES, close_file, export_bytes, odd, open_file
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.networks.graph.safetensors_file import load_network

MANIFEST, TENSORS = open_file(export_bytes(odd()))
Change = Callable[[dict[str, Any], dict[str, Tensor]], None]  # of the graph and the tensors


def call(target: str, *args: Any, op: str = "call_function", **kwargs: Any) -> Change:
    """Put a node that calls `target` between the last layer and the output."""

    def change(graph: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        output = graph["nodes"].pop()
        graph["nodes"].append({"name": "evil", "op": op, "target": target, "args": list(args), "kwargs": kwargs})
        graph["nodes"].append(output)

    return change


def calls(*steps: tuple[str, Any, Any]) -> Change:
    """A chain of two-argument calls, each named after its place: n0, n1, ..."""

    def change(graph: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        output = graph["nodes"].pop()
        for i, (target, a, b) in enumerate(steps):
            node = {"name": f"n{i}", "op": "call_function", "target": target, "args": [a, b], "kwargs": {}}
            graph["nodes"].append(node)
        graph["nodes"].append(output)

    return change


def node(place: int, **values: Any) -> Change:
    return lambda graph, tensors: graph["nodes"][place].update(values)


def module(path: str, **arguments: Any) -> Change:
    return lambda graph, tensors: graph["modules"][path]["arguments"].update(arguments)


def renamed(path: str) -> Change:
    """The last layer under another name, everywhere."""

    def change(graph: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        graph["modules"][path] = graph["modules"].pop("9")
        graph["nodes"][-2]["target"] = path
        for key in ("weight", "bias"):
            tensors[f"{path}.{key}"] = tensors.pop(f"9.{key}")

    return change


LAST = {"node": "_9"}
SIZE = {"node": "n0"}
DEEP: Any = 0
for _ in range(20):
    DEEP = [DEEP]

HOSTILE: dict[str, tuple[Change, str]] = {
    "function outside the list": (call("os.system", "true"), r"operation 'os\.system' is not in the list"),
    "builtin": (call("eval", "1"), r"operation 'eval' is not in the list"),
    "dunder method": (call("__class__", LAST, op="call_method"), r"operation '__class__' is not in the list"),
    "code as method": (call("add(x); import os", LAST, op="call_method"), "is not in the list"),
    "method of no node": (call("view", "text", op="call_method"), "input of node evil .*must be a node, not 'text'"),
    "method of a number": (
        lambda g, t: (call("getattr", LAST, "ndim")(g, t), call("view", {"node": "evil"}, op="call_method")(g, t)),
        "is no new node name|must be called on a tensor",
    ),
    "getattr of a dunder": (call("getattr", LAST, "__class__"), "must be 'ndim' or 'shape', not '__class__'"),
    "getattr of anything": (call("getattr", LAST, "data"), "must be 'ndim' or 'shape', not 'data'"),
    "getattr by node": (call("getattr", LAST, LAST), "must be 'ndim' or 'shape', not _9"),
    "getattr with default": (call("getattr", LAST, "shape", 0), "takes at most 2 arguments, not 3"),
    "code as keyword": (call("torch.relu", LAST, **{"x=print(1)": 1}), r"has no argument 'x=print\(1\)'; it has input"),
    "python keyword": (call("torch.relu", LAST, **{"lambda": 1}), "has no argument 'lambda'; it has input"),
    "dunder buffer": (call("__dict__", op="get_attr"), "there is no tensor '__dict__'"),
    "module as tensor": (call("9", op="get_attr"), "there is no tensor '9'"),
    "unknown kind of node": (node(2, op="exec"), "'exec' is no kind of node|exactly those that nodes call"),
    "unknown module type": (lambda g, t: g["modules"]["2"].update(type="Module"), "type 'Module', which is not in"),
    "type that is no text": (lambda g, t: g["modules"]["2"].update(type=["ReLU"]), "which is not in the list"),
    "unknown argument": (module("2", evil=1), "must have the keys inplace"),
    "missing argument": (lambda g, t: g["modules"]["0"]["arguments"].pop("stride"), "must have the keys"),
    "wrong type of argument": (module("0", kernel_size="three"), "from 1 .* or 1 to 3 of these, not 'three'"),
    "object as argument": (module("2", inplace={"a": 1}), "'a' is no kind of argument"),
    "nested argument": (module("3", kernel_size=[[2], 2]), "or 1 to 3 of these, not"),
    "long argument": (module("3", kernel_size=[2] * 9), "or 1 to 3 of these, not"),
    "more outputs than weights": (module("9", out_features=2**30), r"tensor 9\.bias is \(7,\) float32, but its layer"),
    "number beyond 31 bits": (module("9", out_features=2**40), r"from 1 to 2\^31 - 1, not 1099511627776"),
    "huge kernel": (module("3", kernel_size=2**30), "its graph cannot be built"),
    "huge feature map": (module("6", output_size=2**20), "hold more than|cannot be built"),
    "huge padding": (call("torch.nn.functional.pad", LAST, [2**30, 2**30]), "of one image hold more than"),
    "huge repeat": (call("repeat", LAST, 2**20, 2**20, op="call_method"), "of one image hold more than"),
    "text times number": (call("operator.mul", "ab", 2**50), "a of node evil .* must be a node or .*, not 'ab'"),
    "power tower": (call("operator.pow", 9, 2**50), "pow must be of tensors or numbers"),
    "list times number": (call("operator.mul", [0], 2**50), "mul must be of tensors or numbers"),
    "shape times number": (
        calls(("getattr", LAST, "shape"), ("operator.mul", SIZE, 2**50)),
        "mul must be of tensors or numbers",
    ),
    "doubling a list": (
        calls(("operator.add", [0] * 9, [0]), *(("operator.add", *2 * [{"node": f"n{i}"}]) for i in range(40))),
        "makes a sequence of more than 65536 items",
    ),
    "squaring a number": (
        calls(("operator.mul", 9, 9), *(("operator.mul", *2 * [{"node": f"n{i}"}]) for i in range(40))),
        r"makes a number beyond 2\^62",
    ),
    "millions of parts": (
        lambda g, t: (
            call("expand", LAST, 100, 2**23, 7, op="call_method")(g, t),
            g["nodes"].insert(
                -1,
                {
                    "name": "b",
                    "op": "call_function",
                    "target": "torch.unbind",
                    "kwargs": {},
                    "args": [{"node": "evil"}, 1],
                },
            ),
        ),
        "feature maps of one image hold more than|more than 65536 parts",
    ),
    "deep nesting": (call("torch.cat", DEEP), "arguments nest deeper than 8"),
    "unknown kind of argument": (call("torch.relu", {"eval": "1"}), "'eval' is no kind of argument"),
    "empty argument": (call("torch.relu", {}), "is no argument"),
    "unknown type name": (call("torch.relu", {"dtype": "__class__"}), "there is no dtype '__class__'"),
    "reference as list": (call("torch.relu", {"node": ["_9"]}), "there is no node"),
    "missing node": (call("torch.relu", {"node": "nowhere"}), "there is no node 'nowhere' before"),
    "later node": (node(1, args=[LAST]), "there is no node '_9' before the node that uses it"),
    "itself": (call("torch.relu", {"node": "evil"}), "there is no node 'evil' before"),
    "name taken": (node(3, name="_1"), "'_1' is no new node name"),
    "name with code": (node(0, name="x): import os"), "is no new node name"),
    "name that is no text": (node(0, name=3), "3 is no new node name"),
    "node without target": (lambda g, t: g["nodes"][1].pop("op"), "exactly those that nodes call"),
    "too many nodes": (lambda g, t: g.update(nodes=g["nodes"] * 1000), "nodes must be a list of at most 10000"),
    "nodes that are none": (lambda g, t: g.update(nodes=[1, 2]), "modules must be exactly those that nodes call"),
    "no nodes": (lambda g, t: (g.update(nodes=[], modules={}), t.clear()), "exactly one input"),
    "two inputs": (lambda g, t: g["nodes"].insert(1, {**g["nodes"][0], "name": "y"}), "exactly one input"),
    "output in the middle": (lambda g, t: g["nodes"].insert(1, g["nodes"].pop()), "exactly one output, its last node"),
    "input with default": (node(0, args=[1]), "takes at most 0 arguments, not 1"),
    "module never called": (lambda g, t: g["modules"].update(x=g["modules"]["2"]), "exactly those that nodes call"),
    "module path with code": (renamed('x"]; import os; ["'), "is no module path"),
    "dunder module path": (renamed("a.__class__"), "is no module path"),
    "method as module path": (renamed("forward"), "the name forward is taken"),
    "our attribute as path": (renamed("manifest"), "the name manifest is taken"),
    "method inside a path": (renamed("a.state_dict"), "its graph cannot be built"),
    "weight to fix": (lambda g, t: g["modules"]["2"].update(fixed=["weight"]), "has no weight 'weight' to fix"),
    "unknown tensor": (lambda g, t: g["tensors"].update({"kernel": "buffer"}), "tensor 'kernel' is not in the file"),
    "unknown kind of tensor": (
        lambda g, t: (g["tensors"].update({"kernel": "code"}), t.update(kernel=torch.ones(1))),
        "tensor 'kernel' must be a parameter or a buffer, not 'code'",
    ),
    "missing weight": (lambda g, t: t.pop("0.weight"), r"the tensor '0\.weight' is not in the file"),
    "weight too many": (lambda g, t: t.update(extra=torch.ones(1)), "tensor 'extra' belongs to no layer"),
    "wrong shape": (lambda g, t: t.update({"0.bias": torch.ones(6)}), r"0\.bias is \(6,\) float32, .*\(5,\) float32"),
    "wrong type": (lambda g, t: t.update({"0.bias": torch.ones(5).int()}), r"tensor 0\.bias is \(5,\) int32"),
    "mixed types": (lambda g, t: t.update({"0.bias": torch.ones(5).half()}), "weights must be of one floating type"),
    "not a number": (lambda g, t: t.update({"0.bias": torch.full((5,), torch.nan)}), "values that are not finite"),
    "fewer outputs than classes": (
        lambda g, t: (
            module("9", out_features=6)(g, t),
            t.update({"9.weight": torch.ones(6, 12), "9.bias": torch.ones(6)}),
        ),
        rf"one image must give \(1, at least {CLASSES}\) outputs, not \(1, 6\)",
    ),
    "shapes that do not fit": (call("torch.cat", [LAST, {"node": "input_1"}]), "its graph cannot be built"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_graph_is_refused(name: str) -> None:
    change, reason = HOSTILE[name]
    manifest, tensors = copy.deepcopy(MANIFEST), dict(TENSORS)
    change(manifest["graph"], tensors)
    with pytest.raises(BadInput, match=reason) as caught:
        load_network(close_file(manifest, tensors))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_the_unchanged_manifest_loads() -> None:
    module, _ = load_network(close_file(MANIFEST, TENSORS))
    assert {name: t.shape for name, t in module.state_dict().items()} == {n: t.shape for n, t in TENSORS.items()}
