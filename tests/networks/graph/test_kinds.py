"""The kinds of arguments, and that the tables know every parameter that torch's own signatures have."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch
from torch import nn

from explorer.core.errors import BadInput
from explorer.networks.graph.kinds import (
    COUNT,
    DIM,
    DTYPE,
    FINITE,
    FLAG,
    INDEX,
    LAYOUT,
    NUMBER,
    SHARE,
    SIDES,
    TENSORS,
    ArgumentKind,
    NodeReference,
    check_arguments,
    one_of,
    optional,
)
from explorer.networks.graph.module_types import MODULES
from explorer.networks.graph.operations import FUNCTIONS, METHODS

NODE, INF, CODE = NodeReference("x"), float("inf"), 'torch.os.system("true")'


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (FLAG, [True, False], [0, 1, None, "true", CODE, [True], NODE]),
        (COUNT, [1, 2**31 - 1], [0, -1, 2**31, True, 1.0, "1", CODE, None, [1], NODE]),
        (FINITE, [0, -1.5, 1e300], [INF, float("nan"), True, "1", CODE, None]),
        (NUMBER, [0.5, INF, 2**53], [2**53 + 1, True, "inf", CODE]),
        (SHARE, [0, 1, 0.5], [-0.1, 1.1, 2, True, INF, float("nan")]),
        (SIDES, [3, (3,), (1, 2, 3)], [(), (1, 2, 3, 4), (0,), ((1,),), (True,), "same", CODE]),
        (one_of("zeros", "reflect"), ["zeros"], ["Zeros", "zeros ", "", None, ["zeros"], CODE]),
        (optional(COUNT), [None, 1], [0, "None"]),
        (DIM, [-(2**31), NODE], [2**31, True, None, 1.0, CODE, torch.float32]),
        (DTYPE, [torch.float64, None], ["torch.float32", CODE, torch.channels_last]),
        (LAYOUT, [torch.channels_last], ["torch.channels_last", None, torch.float32]),
        (TENSORS, [NODE, (NODE, NODE), [NODE]], [(), (1,), "x", None]),
        (INDEX, [0, ..., None, slice(1, NODE), (slice(None), NODE, [1])], ["x", CODE, True, slice("a"), ((0,), "a")]),
    ],
)
def test_a_kind_takes_what_its_rule_says_and_nothing_else(kind: ArgumentKind, good: list[Any], bad: list[Any]) -> None:
    assert [value for value in good if not kind.holds(value)] == []
    assert [value for value in bad if kind.holds(value)] == []


@pytest.mark.parametrize(
    ("target", "args", "kwargs", "reason"),
    [
        ("torch.flatten", (NODE, 1), {"start_dim": 1}, "is given an argument twice: .'start_dim'"),
        ("torch.mean", (NODE,), {"axis": 1, "dim": 1}, "is given an argument twice"),
        ("torch.flatten", (NODE, 1, 2, 3), {}, "takes at most 3 arguments, not 4"),
        ("torch.flatten", (), {"start_dim": 1}, "must be given its input"),
        ("torch.relu", (NODE,), {"out": NODE}, "has no argument 'out'; it has input"),
        ("torch.nn.functional.pad", (NODE, [1, 1], CODE), {}, "mode of f must be 'constant' or .*, not 'torch.os"),
        ("torch.nn.functional.softmax", (NODE,), {"dtype": "torch.float32"}, "dtype of f must be a type of numbers"),
        ("torch.add", (NODE, NODE), {"alpha": CODE}, "alpha of f must be a number or a node, not 'torch.os"),
        ("torch.permute", (NODE, 0, "1"), {}, r"dims of f must be .* of these, not \(0, '1'\)"),
    ],
)
def test_what_breaks_a_signature_is_said_in_one_sentence(
    target: str, args: tuple[Any, ...], kwargs: dict[str, Any], reason: str
) -> None:
    with pytest.raises(BadInput, match=reason) as caught:
        check_arguments("f", FUNCTIONS[target].arguments, args, kwargs)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("args", [(NODE, 2, -1), (NODE, (2, -1)), (NODE, [NODE, -1]), (NODE, NODE), (NODE, -1)])
def test_the_last_arguments_of_a_view_come_in_a_row_or_one_by_one(args: tuple[Any, ...]) -> None:
    check_arguments("view", METHODS["view"], args, {})
    with pytest.raises(BadInput, match="view must be"):
        check_arguments("view", METHODS["view"], (*args[:-1], "-1"), {})


WITHOUT = {"generator", "out", "implicit", "split_sizes", "split_size"}  # split: one name stands for all in the table


def schemas(name: str) -> list[list[str]]:
    """The parameters of a function in each of torch's own signatures of tensors."""
    packet = getattr(torch.ops.aten, name)
    found = [getattr(packet, overload)._schema.arguments for overload in packet.overloads()]
    return [
        [a.name for a in arguments]
        for arguments in found
        if str(arguments[0].type) == "Tensor" and not any(a.is_out for a in arguments)
    ]


OF_TORCH = sorted(name for name in FUNCTIONS if name.startswith("torch.") and name.count(".") == 1)


@pytest.mark.parametrize("target", [*OF_TORCH, *(f"Tensor.{name}" for name in METHODS if name != "float")])
def test_the_tables_know_all_that_torch_takes(target: str) -> None:
    name = target.partition(".")[2]
    known = METHODS[name] if target.startswith("Tensor.") else FUNCTIONS[target].arguments
    for parameters in schemas(name):
        others = set(parameters[1:]) - WITHOUT - ({"other", "dtype"} if name in ("max", "view") else set())
        assert others <= set(known), parameters


@pytest.mark.parametrize("target", [name for name in FUNCTIONS if name.startswith("torch.nn.functional.")])
def test_functions_with_python_signatures_have_their_parameters_in_order(target: str) -> None:
    try:
        parameters = list(inspect.signature(FUNCTIONS[target].call).parameters)
    except ValueError:
        pytest.skip("written in C")
    if parameters != ["args", "kwargs"]:
        assert parameters == list(FUNCTIONS[target].arguments)


@pytest.mark.parametrize("name", MODULES)
def test_layers_are_built_with_arguments_that_their_constructors_have(name: str) -> None:
    constructor = inspect.signature(nn.RNNBase if name in ("RNN", "GRU", "LSTM") else MODULES[name].build).parameters
    assert set(MODULES[name].arguments) - {"nonlinearity"} <= set(constructor)
