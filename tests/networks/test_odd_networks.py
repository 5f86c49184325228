"""Each layer of an odd network is listed once: with units that can be cut exactly, or with the reason for none."""

from __future__ import annotations

import pytest
import torch
from networks_at_hand import images
from odd_networks import LAYERS, SHAPE, odd
from torch import nn

from explorer.core.errors import BadInput
from explorer.data.preprocessing import Preprocessing
from explorer.networks import dependencies
from explorer.networks.costs import measure_costs
from explorer.networks.coupling import COMPUTED
from explorer.networks.gates import Gated, open_gates
from explorer.networks.layers import JOINED, check_prunable, list_layers
from explorer.networks.load import assemble
from explorer.networks.network import Network
from explorer.networks.surgery import cut

RGB = Preprocessing((0.0,) * 3, (1.0,) * 3)


def opened(name: str) -> Network:
    return assemble(name, "own:odd", odd(name), SHAPE, RGB)


@pytest.mark.parametrize("name", LAYERS)
def test_every_layer_that_runs_has_units_or_a_reason_and_never_both(name: str) -> None:
    network = opened(name)
    ran: list[str] = []
    for path, layer in network.module.named_modules():
        if isinstance(layer, (nn.modules.conv._ConvNd, nn.Linear)):
            layer.register_forward_hook(lambda *_, path=path: ran.append(path))
    network.module(torch.zeros(1, *SHAPE))
    written = [writer for layer in network.units.layers for writer in layer.writers]
    assert sorted([*written, *network.units.unprunable]) == sorted(set(ran))
    rows = {row.name: row for row in list_layers(network, measure_costs(network))}
    assert set(rows) == set(ran)
    first = {layer.name for layer in network.units.layers}
    assert {row.name for row in rows.values() if row.prunable} == first
    assert all(
        rows[name].reason == JOINED.format(layer.name) for layer in network.units.layers for name in layer.writers[1:]
    )


@pytest.mark.parametrize("name", LAYERS)
@torch.no_grad()
def test_what_is_offered_is_exact(name: str) -> None:
    network, x = opened(name), images(SHAPE, n=2).x
    gone = torch.tensor([i % 3 == 1 for layer in network.units.layers for i in range(len(layer))], dtype=torch.bool)
    gated = Gated(network.module, network.units)(x, open_gates(gone))
    pruned = cut(network.module, network.units, gone.numpy())(x)
    assert (pruned - gated).abs().max() <= 1e-5 * gated.abs().max()


def test_layers_of_one_writer_too_many_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    found = dependencies.find_units(odd("shuffle"), torch.zeros(1, *SHAPE))
    layers, reasons = [found.layers[0], found.layers[0]], {}
    assert dependencies._apart(layers, reasons) == []
    assert reasons == {"stem": dependencies.DOUBLY.format("stem")}
    assert dependencies._apart([found.layers[0]], {"stem": "said already"}) == []


def test_layers_without_weights_of_their_own_say_so() -> None:
    assert opened("weight norm").units.unprunable["stem"] == COMPUTED.format("stem")
    assert opened("spectral norm").units.unprunable["stem"] == COMPUTED.format("second")


def test_a_network_without_units_is_refused_where_some_are_needed() -> None:
    with pytest.raises(BadInput, match="split has no unit that can be pruned: the command inspect"):
        check_prunable(opened("split"))
    check_prunable(opened("shuffle"))
