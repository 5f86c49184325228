"""Gated = pruned: the property that everything else rests on."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from networks_at_hand import MODULES, UNUSUAL, at_hand, images, shape_of
from networks_at_hand import network as network_of
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.evaluation.evaluate import evaluate
from explorer.networks.architectures.small import resnet20
from explorer.networks.costs import measure_costs
from explorer.networks.network import Network
from explorer.networks.surgery import prune
from explorer.networks.units import none_removed


def random_plan(network: Network, seed: int, share: float) -> Tensor:
    """A plan that leaves every layer at least one unit."""
    removed = torch.rand(len(network.units), generator=torch.Generator().manual_seed(seed)) < share
    for place in network.units.slices.values():
        removed[place.start + seed % (place.stop - place.start)] = False
    return removed


def assert_same_outcome(a: Tensor, b: Tensor) -> None:
    assert (a - b).abs().max() <= 1e-5 * b.abs().max()


@pytest.mark.parametrize("name", [*MODULES, *UNUSUAL])
@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), share=st.floats(0, 1))
def test_a_closed_gate_computes_what_removal_computes(name: str, seed: int, share: float) -> None:
    network, batches = at_hand(name), images(shape_of(name))
    removed = random_plan(network, seed, share)
    gated = evaluate(network, batches, removed).logits
    pruned = prune(network, removed)
    assert_same_outcome(evaluate(pruned, batches).logits, gated)
    assert len(pruned.units) == int((~removed).sum())


@pytest.mark.parametrize("name", [*MODULES, *UNUSUAL])
def test_pruning_in_two_steps_is_pruning_at_once(name: str) -> None:
    network, batches = at_hand(name), images(shape_of(name))
    removed = random_plan(network, 3, 0.6)
    first = removed & (torch.arange(len(removed)) % 2 == 0)
    halfway = prune(network, first)
    twice = prune(halfway, removed[~first])
    at_once = prune(network, removed)
    assert twice.units.labels == at_once.units.labels
    assert torch.equal(evaluate(twice, batches).logits, evaluate(at_once, batches).logits)


@pytest.mark.parametrize("name", [*MODULES, *UNUSUAL])
def test_predicted_costs_are_those_of_the_pruned_network(name: str) -> None:
    network = at_hand(name)
    removed = random_plan(network, 5, 0.5)
    pruned, costs = prune(network, removed), measure_costs(network)
    assert costs.parameters(removed) == sum(p.numel() for p in pruned.module.parameters())
    assert costs.parameters(removed) == measure_costs(pruned).parameters()
    assert costs.flops(removed) == measure_costs(pruned).flops() < costs.flops()


@pytest.mark.parametrize("name", [*MODULES, *UNUSUAL])
def test_surgery_leaves_its_input_alone(name: str) -> None:
    network = at_hand(name)
    before = {key: value.clone() for key, value in network.module.state_dict().items()}
    prune(network, random_plan(network, 1, 0.5))
    after = network.module.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_units_that_stay_keep_their_original_channel() -> None:
    network = at_hand("plain")
    removed = none_removed(network.units)
    removed[[0, 2]] = True
    assert prune(network, removed).units.labels[:3] == (("0", 1), ("0", 3), ("0", 4))


def test_no_layer_may_become_empty() -> None:
    network = at_hand("plain")
    removed = none_removed(network.units)
    removed[:5] = True
    with pytest.raises(BadInput, match="Layer 0 would lose all its 5 units; at least one must stay"):
        prune(network, removed)


def test_a_kernel_that_is_fixed_stays_a_buffer() -> None:
    network = network_of(resnet20(num_classes=3), (3, 32, 32))
    names = set(network.module.state_dict())
    pruned = prune(network, random_plan(network, 2, 0.4))
    assert set(pruned.module.state_dict()) == names
    assert dict(pruned.module.named_parameters()).keys() == dict(network.module.named_parameters()).keys()
    batches = images((3, 32, 32), n=4)
    gated = evaluate(network, batches, random_plan(network, 2, 0.4)).logits
    assert_same_outcome(evaluate(pruned, batches).logits, gated)


def test_channels_of_a_grouped_convolution_go_one_of_every_group() -> None:
    network = at_hand("grouped")
    assert network.units.labels == (
        *(("reduce", c) for c in range(3)),
        *(("grouped", c) for c in range(4)),
        *(("expand", c) for c in range(4)),
    )
    assert network.units.layers[0].written("reduce").tolist() == [[0, 3], [1, 4], [2, 5]]
    removed = none_removed(network.units)
    removed[[1, 3, 4]] = True
    pruned = prune(network, removed).module
    kept = [0, 2, 3, 5]
    assert torch.equal(pruned.reduce.weight, network.module.reduce.weight[kept])
    assert pruned.grouped.groups == 2
    assert torch.equal(pruned.grouped.weight, network.module.grouped.weight[[2, 3, 6, 7]][:, [0, 2]])


def test_the_price_of_a_unit_is_that_of_all_its_channels() -> None:
    prices = measure_costs(at_hand("grouped")).unit_flops()
    assert prices.tolist() == [2 * 36 * 10 * 2] * 3 + [2 * 16 * (3 * 9 + 1) * 2] * 4 + [2 * 16 * 9] * 4


def test_parts_of_an_image_count_as_often_as_they_run() -> None:
    network = at_hand("clip")
    flops = measure_costs(network).flops_by_module()
    assert flops["first"] == 2 * (8 * 8 * 8) * (27 + 1) * 5  # both segments
    assert flops["reduce"] == 2 * (2 * 16 - 1) * 6
