"""Networks that decide while they run: pruned exactly like others, and why they can't be exported is said."""

from __future__ import annotations

import pytest
import torch
from graphless import GRAPHLESS, Plain

from explorer.data.preprocessing import Preprocessing
from explorer.networks.costs import measure_costs
from explorer.networks.gates import Gated, open_gates
from explorer.networks.graph.trace import why_no_graph
from explorer.networks.load import assemble
from explorer.networks.network import Network
from explorer.networks.surgery import prune
from explorer.networks.tracing import CAUSES

SHAPE = (1, 28, 28)


def opened(kind: type[Plain]) -> Network:
    torch.manual_seed(0)
    return assemble("mine.pth", "own:mine", kind().eval(), SHAPE, Preprocessing((0.0,), (1.0,)))


@pytest.mark.parametrize("kind", GRAPHLESS)
def test_why_it_can_not_be_exported_names_the_line_and_what_to_change(kind: type[Plain]) -> None:
    said = why_no_graph(opened(kind).module, "mine.pth")
    assert said.startswith("mine.pth can't be exported: line ") and " of graphless.py, `" in said
    assert GRAPHLESS[kind] in said and said.endswith(", and it can.")
    assert not any(word in said for word in ("torch.fx", "symbolic", "Proxy", "trace", "\n"))


@pytest.mark.parametrize("kind", GRAPHLESS)
@torch.no_grad()
def test_every_convolution_is_pruned_as_gates_close_it_and_its_costs_are_known(kind: type[Plain]) -> None:
    network, x = opened(kind), torch.randn(3, *SHAPE, generator=torch.Generator().manual_seed(0))
    assert {layer.name for layer in network.units.layers} == {"first", "second"}
    gone = torch.arange(len(network.units)) % 3 == 1
    gated = Gated(network.module, network.units)(x, open_gates(gone))
    pruned = prune(network, gone)
    assert (pruned.module(x) - gated).abs().max() <= 1e-5 * gated.abs().max()
    counted = sum(p.numel() for p in pruned.module.parameters())
    assert measure_costs(network).parameters(gone) == measure_costs(pruned).parameters() == counted
    assert measure_costs(network).flops(gone) == measure_costs(pruned).flops()


def test_no_cause_quotes_the_tool_that_traces() -> None:
    assert not any(word in part for _, *told in CAUSES for part in told for word in ("fx", "Proxy", "symbolic"))
