"""Gates: private, exact, and one row an image when asked."""

from __future__ import annotations

import pytest
import torch
from networks_at_hand import MODULES, SHAPE, UNUSUAL, at_hand, images, shape_of

from explorer.networks.gates import Gated, open_gates


@pytest.mark.parametrize("name", [*MODULES, *UNUSUAL])
def test_open_gates_change_nothing(name: str) -> None:
    network, batches = at_hand(name), images(shape_of(name))
    gated = Gated(network.module, network.units)
    assert torch.equal(gated(batches.x, torch.ones(len(network.units))), network.module(batches.x))


@pytest.mark.parametrize("name", [*MODULES, *UNUSUAL])
def test_gates_of_one_image_do_not_reach_another(name: str) -> None:
    network, batches = at_hand(name), images(shape_of(name), n=len(at_hand(name).units))
    gated = Gated(network.module, network.units)
    own = gated(batches.x, 1 - torch.eye(len(network.units)))
    for unit in range(len(network.units)):
        alone = gated(batches.x, open_gates(torch.arange(len(network.units)) == unit))
        torch.testing.assert_close(own[unit], alone[unit], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", [*MODULES, *UNUSUAL])
def test_gates_that_will_never_close_can_be_left_out(name: str) -> None:
    network, batches = at_hand(name), images(shape_of(name))
    removed = torch.arange(len(network.units)) == 0
    few, gates = Gated(network.module, network.units, removed), open_gates(removed)
    assert torch.equal(few(batches.x, gates), Gated(network.module, network.units)(batches.x, gates))
    gated = {part for part, module in few.body.named_modules() if module._forward_pre_hooks}
    assert gated == {consumer for consumer, units in network.units.gate_maps.items() if 0 in units.tolist()}


def test_the_network_is_left_as_found_even_when_the_pass_fails() -> None:
    network = at_hand("plain")
    gated = Gated(network.module, network.units)
    with pytest.raises(RuntimeError):
        gated(torch.zeros(1, 7, 8, 8), torch.ones(len(network.units)))
    modules = list(network.module.modules())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in modules)
    assert not any(m.training for m in modules)
    assert all(p.grad is None and not p.requires_grad for p in network.module.parameters())


def test_gates_are_closed_in_eval_mode_even_when_the_network_is_in_train_mode() -> None:
    network, batches = at_hand("plain"), images(SHAPE)
    expected = network.module(batches.x)
    network.module.train()
    gated = Gated(network.module, network.units)
    assert torch.equal(gated(batches.x, torch.ones(len(network.units))), expected)
    assert network.module.training
