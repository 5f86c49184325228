"""What each unit does for one image, against the network from which that unit was really removed."""

from __future__ import annotations

import pytest
import torch
from modules import branching
from networks_at_hand import MODULES, UNUSUAL, at_hand, images, shape_of
from torch.nn import functional as F

from explorer.networks.network import Network
from explorer.networks.surgery import prune
from explorer.scoring.detail import ablation_flops, linearised_effects, measured_effects
from explorer.scoring.linearise import linear_change, linearise
from explorer.scoring.oracle import OracleOptions, ablator_for

LABEL = 1


def loss(network: Network, x: torch.Tensor) -> float:
    with torch.no_grad():
        return float(F.cross_entropy(network.module(x[None]).double(), torch.tensor([LABEL])))


@pytest.mark.parametrize("name", [*MODULES, *UNUSUAL])
def test_the_effect_of_a_unit_is_the_loss_without_it_less_the_loss_with_it(name: str) -> None:
    network, x = at_hand(name), images(shape_of(name), n=1).x[0]
    ablator = ablator_for(network, OracleOptions(), x[None], torch.tensor([LABEL]))[0]
    found = measured_effects(network, ablator, x, LABEL)
    assert found.exact and found.loss == pytest.approx(loss(network, x), abs=1e-6)
    for unit in range(len(network.units)):
        without = prune(network, torch.arange(len(network.units)) == unit)
        assert float(found.changes[unit]) == pytest.approx(loss(without, x) - loss(network, x), abs=2e-5)


@pytest.mark.parametrize("name", MODULES)
def test_to_first_order_it_is_the_linearisation_of_that_image(name: str) -> None:
    network, batch = at_hand(name), images(shape_of(name), n=1)
    (known,) = linearise(network, batch)
    found = linearised_effects(network, batch.x[0], int(batch.y))
    assert not found.exact and found.loss == pytest.approx(float(F.cross_entropy(known.logits, batch.y)))
    torch.testing.assert_close(found.changes, linear_change(known)[0])


def test_measuring_every_unit_takes_less_than_a_whole_pass_each() -> None:
    network = at_hand("plain")
    whole = 2 * (5 * 9 * 64 + 6 * 45 * 16 + 8 * 24 + 3 * 8)
    assert 0 < ablation_flops(network, whole) < 11 * whole


def test_where_a_network_decides_as_it_runs_measuring_takes_a_whole_pass_for_every_unit() -> None:
    network = branching()
    assert ablation_flops(network, 1000) == 1000 * len(network.units)
