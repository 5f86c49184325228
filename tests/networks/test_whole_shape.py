"""Trained weights of a pruned network, back in the whole one."""

from __future__ import annotations

import pytest
import torch
from networks_at_hand import MODULES, UNUSUAL, at_hand, images, shape_of

from explorer.evaluation.evaluate import evaluate
from explorer.networks.network import Network, fingerprint, with_weights_of
from explorer.networks.surgery import prune
from explorer.networks.whole_shape import regrown


def half(network: Network) -> torch.Tensor:
    removed = torch.rand(len(network.units), generator=torch.Generator().manual_seed(4)) < 0.5
    for place in network.units.slices.values():
        removed[place.start] = False
    return removed


def trained(network: Network) -> Network:
    """Other weights and batch-norm statistics in the same layers."""
    generator = torch.Generator().manual_seed(5)
    for value in network.module.state_dict().values():
        value.add_(0.1 * torch.rand(value.shape, generator=generator) if value.is_floating_point() else 7)
    return with_weights_of(network, network.module)


@pytest.mark.parametrize("name", [*MODULES, *UNUSUAL])
def test_with_the_gates_closed_it_computes_what_was_trained(name: str) -> None:
    network, batches = at_hand(name), images(shape_of(name))
    removed, before = half(network), fingerprint("", network.module, network.preprocessing)
    smaller = trained(prune(network, removed))
    whole = regrown(network, smaller, removed)
    expected = evaluate(smaller, batches).logits
    assert (evaluate(whole, batches, removed).logits - expected).abs().max() <= 1e-5 * expected.abs().max()
    assert fingerprint("", network.module, network.preprocessing) == before


@pytest.mark.parametrize("name", [*MODULES, *UNUSUAL])
def test_pruning_it_again_gives_back_what_was_trained_bit_for_bit(name: str) -> None:
    network = at_hand(name)
    removed = half(network)
    smaller = trained(prune(network, removed))
    again = prune(regrown(network, smaller, removed), removed).module.state_dict()
    assert all(torch.equal(value, again[key]) for key, value in smaller.module.state_dict().items())


def test_what_was_not_pruned_is_left_alone() -> None:
    network = at_hand("plain")
    removed = half(network)
    untouched = regrown(network, prune(network, removed), removed)
    assert untouched.digest == with_weights_of(network, network.module).digest
