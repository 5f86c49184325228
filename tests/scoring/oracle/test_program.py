"""Networks as sequences of operations: the same function, nothing in place, batch-norm folded."""

from __future__ import annotations

import pytest
import torch
from modules import ODD, branching, odd
from networks_at_hand import MODULES, at_hand, images
from torch import nn

from explorer.scoring.oracle.program import Untraceable, program_of


@pytest.mark.parametrize("name", [*MODULES, *ODD])
def test_a_program_computes_what_the_network_computes_and_keeps_every_value(name: str) -> None:
    network = at_hand(name) if name in MODULES else odd(name)
    x = images(network.input_shape).x
    program = program_of(network)
    with torch.no_grad():
        values = program.values(x)
        torch.testing.assert_close(values[program.logits], network.module(x), rtol=1e-4, atol=1e-5)
        for node in program.nodes:  # nothing was overwritten by a later operation
            again = program.run(node, values.__getitem__)
            assert torch.equal(again, values[node]) if isinstance(again, torch.Tensor) else again == values[node]


def test_batch_norm_behind_a_convolution_is_folded_and_before_one_is_not() -> None:
    def norms(program) -> int:
        calls = [n for n in program.nodes if n.op == "call_module"]
        return sum(isinstance(program.module_of(n), nn.BatchNorm2d) for n in calls)

    assert norms(program_of(at_hand("residual"))) == 0
    assert norms(program_of(odd("dense"))) == 3


def test_a_network_that_branches_on_values_can_not_be_followed() -> None:
    with pytest.raises(
        Untraceable,
        match=r"^branches can't be run in parts: line \d+ of modules.py, `.*`, decides by what a run computes\.$",
    ):
        program_of(branching())


def test_costs_of_operations() -> None:
    network = at_hand("plain")
    program = program_of(network)
    conv, linear = program.nodes[0], program.nodes[-1]
    assert program.flops[conv] == 2 * 5 * 64 * 9
    assert program.bytes[conv] == 4 * 5 * 64
    assert program.flops[linear] == 2 * 8 * 3
