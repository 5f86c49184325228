"""Each layer of an odd network is listed once: with units that can be cut exactly, or with the reason for none."""

from __future__ import annotations

import pytest
import torch
from networks_at_hand import images
from odd_networks import COUNTED, LAYERS, SHAPE, odd
from torch import nn

from explorer.core.errors import BadInput
from explorer.data.preprocessing import Preprocessing
from explorer.networks import dependencies
from explorer.networks.costs import measure_costs
from explorer.networks.gates import Gated, open_gates
from explorer.networks.graph.described import described
from explorer.networks.layers import JOINED, check_prunable, list_layers
from explorer.networks.load import assemble
from explorer.networks.network import Network, fingerprint
from explorer.networks.surgery import cut, prune

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


@pytest.mark.parametrize(("name", "layer"), [("weight norm", "stem"), ("spectral norm", "second"), ("masked", "stem")])
def test_weights_that_are_computed_are_made_plain_with_a_note(name: str, layer: str) -> None:
    network, x = opened(name), images(SHAPE, n=2).x
    assert network.origin == f"Made plain, with the values of eval mode: the computed weights of {layer}."
    assert {each.name for each in network.units.layers} == {"stem", "second"}
    with torch.no_grad():
        assert torch.allclose(network.module(x), odd(name)(x), atol=1e-6)


@pytest.mark.parametrize(
    ("name", "layer", "reason"),
    [
        ("split", "stem", "only some of its channels are read here, and others there"),
        ("chunk", "stem", "its channels are split into parts of equal sizes"),
        ("zero-padded shortcut", "second", "a shortcut pads its channels with channels of zeros"),
        ("neighbours", "stem.0", "a LocalResponseNorm divides each of its feature maps by those of its neighbours"),
        ("counted if", "stem", "view(-1, 2048) counts on the number of its channels"),
        (
            "channel attention",
            "stem.0",
            "second.0 makes one channel of all its channels: they could only go all at once",
        ),
        ("pixel shuffle", "stem", "a PixelShuffle makes pixels of its channels"),
        ("layer norm of maps", "stem.0", "all its channels are tied together by stem.1, a GroupNorm of 1"),
        (
            "group norm across a concat",
            "stem",
            "second.1.0, a GroupNorm of 4, shares its groups between",
        ),
    ],
)
def test_reasons_name_what_stands_in_the_way(name: str, layer: str, reason: str) -> None:
    assert opened(name).units.unprunable[layer].startswith(reason)


@pytest.mark.parametrize("name", ["group norm", "group norm of a sum", "norms over images", "one slope", "weight norm"])
def test_what_was_pruned_with_norms_is_exported_as_it_computes(name: str) -> None:
    network, x = opened(name), images(SHAPE, n=2).x
    gone = torch.tensor([i % 2 == 1 for layer in network.units.layers for i in range(len(layer))])
    pruned = prune(network, gone)
    with torch.no_grad():
        written = described(pruned, metrics={}, provenance={}).module()(x)
        assert torch.allclose(written, pruned.module(x), rtol=1e-5, atol=1e-6)
    counted = sum(p.numel() for p in pruned.module.parameters())
    assert measure_costs(network).parameters(gone) == measure_costs(pruned).parameters() == counted


@pytest.mark.parametrize("name", ["counted", *COUNTED])
def test_numbers_of_channels_in_the_code_follow_what_is_pruned(name: str) -> None:
    network, whole, x = opened(name), odd(name), images(SHAPE, n=2).x
    assert {layer.name: len(layer) for layer in network.units.layers} == {"stem": 8}
    assert network.origin.startswith("These calls count on numbers of channels, which follow what is pruned: ")
    with torch.no_grad():
        assert torch.equal(network.module(x), whole(x))
    assert network.digest == fingerprint(network.arch, whole, RGB)
    pruned = prune(network, torch.arange(8) % 2 == 0)
    described(pruned, metrics={}, provenance={})


def test_functional_dropout_still_drops_in_train_mode_where_numbers_follow() -> None:
    module, x = opened("view(-1, n)").module, images(SHAPE, n=2).x
    assert not torch.equal(module.train()(x), module(x)) and torch.equal(module.eval()(x), module(x))


def test_norms_lose_channels_with_the_layers_before_them() -> None:
    units = {name: {layer.name: len(layer) for layer in opened(name).units.layers} for name in LAYERS}
    assert units["group norm"]["stem.0"] == 4 and units["group norm of a concat"]["stem"] == 2
    assert units["norms over images"] == {"stem.0": 8, "stem.2": 6, "second.2": 8}


def test_a_network_without_units_is_refused_where_some_are_needed() -> None:
    with pytest.raises(BadInput, match="split has no unit that can be pruned: the command inspect"):
        check_prunable(opened("split"))
    check_prunable(opened("shuffle"))
