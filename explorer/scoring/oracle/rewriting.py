"""Rewriting a traced network so that it can be run in parts: nothing in place, batch-norm folded away."""

from __future__ import annotations

import inspect
import operator
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import fx, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_eval

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


def allow_any_memory_format(module: fx.GraphModule) -> None:
    """`view` fails on tensors that are not laid out as its author thought; `reshape` gives the same values."""
    for node in module.graph.find_nodes(op="call_method", target="view"):
        node.target = "reshape"


def forbid_in_place(module: fx.GraphModule) -> None:
    """Give every in-place operation a new tensor to write to, and those that read the old one later on the new one."""
    for submodule in module.modules():
        if getattr(submodule, "inplace", False):
            submodule.inplace = False  # type: ignore[assignment]
    place = {node: k for k, node in enumerate(module.graph.nodes)}
    for node in module.graph.nodes:
        if _made_out_of_place(node) and isinstance(changed := node.args[0], fx.Node):
            later = {user for user in changed.users if place[user] > place[node]}
            changed.replace_all_uses_with(node, delete_user_cb=later.__contains__)


def _made_out_of_place(node: fx.Node) -> bool:
    """Whether the operation worked in place; it does no longer."""
    if node.op == "call_method" and str(node.target).endswith("_") and not str(node.target).endswith("__"):
        node.target = str(node.target)[:-1]
        return True
    if node.op != "call_function":
        return False
    name = getattr(node.target, "__name__", "")
    pure = getattr(operator, name[1:], None) if getattr(operator, name, None) is node.target else _pure(name)
    if (name.startswith("i") or name.endswith("_")) and pure is not None:
        node.target = pure
        return True
    return _without_flag(node)


def _pure(name: str) -> Callable[..., Any] | None:
    return getattr(torch, name[:-1], None) if name.endswith("_") else None


def _without_flag(node: fx.Node) -> bool:
    """Set `inplace=False` where a function was called with it."""
    assert callable(node.target)
    try:
        bound = inspect.signature(node.target).bind(*node.args, **node.kwargs)
    except (TypeError, ValueError):  # built-in functions have no such flag
        return False
    if not bound.arguments.get("inplace", False):
        return False
    bound.arguments["inplace"] = False
    node.args, node.kwargs = bound.args, bound.kwargs
    return True


def fold_batch_norm(module: fx.GraphModule) -> None:
    """conv, then batch-norm in eval mode -> one convolution with other weights, where nothing else reads the first."""
    for norm, conv in list(_foldable(module)):
        layers: Any = [module.get_submodule(str(node.target)) for node in (conv, norm)]
        module.set_submodule(str(conv.target), fuse_conv_bn_eval(*layers))
        norm.replace_all_uses_with(conv)
        module.graph.erase_node(norm)


def _foldable(module: fx.GraphModule) -> Iterator[tuple[fx.Node, fx.Node]]:
    called = {n: module.get_submodule(str(n.target)) for n in module.graph.nodes if n.op == "call_module"}
    times = Counter(n.target for n in called)
    for norm, layer in called.items():
        if not isinstance(layer, _BatchNorm) or layer.running_mean is None:
            continue
        conv = norm.all_input_nodes[0]
        if conv not in called:
            continue
        alone = len(conv.users) == times[conv.target] == times[norm.target] == 1
        if alone and type(called[conv]) in CONVOLUTIONS:
            yield norm, conv
