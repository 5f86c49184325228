"""Parameters and FLOPs by arithmetic, and against the paper's published totals."""

from __future__ import annotations

from itertools import pairwise

import pytest
from networks_at_hand import at_hand
from networks_at_hand import network as network_of
from torch import nn

from explorer.networks.costs import measure_costs
from explorer.networks.units import none_removed
from explorer.pruning.plan import with_removed


def test_plain_network_by_arithmetic() -> None:
    costs = measure_costs(at_hand("plain"))
    first, second = 2 * 64 * (1 * 9 + 1) * 5, 2 * 16 * (5 * 9 + 1) * 6
    assert costs.flops() == first + second + (2 * 24 - 1) * 8 + (2 * 8 - 1) * 3
    assert costs.parameters() == 5 * 10 + 6 * 46 + 8 * 25 + 3 * 9


def test_removing_a_unit_counts_its_consumers_too() -> None:
    network = at_hand("plain")
    costs = measure_costs(network)
    removed = with_removed(none_removed(network.units), [[0]])
    assert costs.flops() - costs.flops(removed) == 2 * 64 * 10 + 2 * 16 * 9 * 6
    assert costs.parameters() - costs.parameters(removed) == 10 + 9 * 6


def test_activations_are_what_convolutions_write() -> None:
    network = at_hand("plain")
    costs = measure_costs(network)
    assert costs.activations() == 5 * 64 + 6 * 16
    assert costs.activations(with_removed(none_removed(network.units), [[0, 5, 6]])) == 4 * 64 + 4 * 16


def test_batch_norm_has_two_parameters_a_channel() -> None:
    network = at_hand("plain_batchnorm")
    removed = with_removed(none_removed(network.units), [[0]])
    costs = measure_costs(network)
    assert costs.parameters() - costs.parameters(removed) == 9 + 2 + 9 * 7


@pytest.mark.parametrize("name", ["fire", "residual", "depthwise"])
def test_parameters_are_all_counted(name: str) -> None:
    network = at_hand(name)
    assert measure_costs(network).parameters() == sum(p.numel() for p in network.module.parameters())


VGG16 = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
PUBLISHED = (2.81, 57.9, 14.48, 28.93, 7.23, 14.46, 14.46, 3.61, 7.23, 7.23, 1.81, 1.81, 1.81)  # MFLOPs a map


def test_vgg16_has_the_published_flops_a_map_and_in_total() -> None:
    layers: list[nn.Module] = []
    for i, (reads, writes) in enumerate(pairwise((3, *VGG16)), start=1):
        layers += [nn.Conv2d(reads, writes, 3, padding=1), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if i in (2, 4, 7, 10, 13) else []
    network = network_of(nn.Sequential(*layers, nn.Flatten(), nn.Linear(25088, 2)), (3, 224, 224))
    costs = measure_costs(network)
    firsts = [place.start for place in network.units.slices.values()]
    assert [float(costs.unit_flops()[u]) / 1e6 for u in firsts] == pytest.approx(PUBLISHED, rel=5e-3)
    classifier = sum((2 * i - 1) * o for i, o in ((25088, 4096), (4096, 4096), (4096, 1000)))
    convolutions = costs.flops() - costs.flops_by_module()["32"]
    assert (convolutions + classifier) / 1e9 == pytest.approx(30.97, abs=0.01)
