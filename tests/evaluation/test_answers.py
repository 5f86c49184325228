"""Answers of a network under many plans at once, against one network after the other."""

from __future__ import annotations

import pytest
import torch
from networks_at_hand import MODULES, UNUSUAL, at_hand, images, shape_of

from explorer.evaluation.answers import AT_ONCE, answers
from explorer.networks.surgery import prune


@pytest.mark.parametrize("name", [*MODULES, *UNUSUAL])
def test_each_plan_is_answered_as_by_the_network_without_its_units(name: str) -> None:
    network, x = at_hand(name), images(shape_of(name), n=1).x[0]
    plans = torch.zeros(4, len(network.units), dtype=torch.bool)
    for row, units in enumerate(((), (0,), (1, 2), (0, 3))):
        plans[row, list(units)] = True
    found = answers(network, x, plans)
    for plan, probabilities in zip(plans, found, strict=True):
        with torch.no_grad():
            alone = prune(network, plan).module(x[None]).double().softmax(1)[0]
        torch.testing.assert_close(probabilities, alone, rtol=1e-4, atol=1e-6)


def test_more_plans_than_fit_into_a_pass_are_answered_alike() -> None:
    network, x = at_hand("plain"), images(shape_of("plain"), n=1).x[0]
    plan = torch.arange(len(network.units)) == 2
    found = answers(network, x, plan.repeat(AT_ONCE + 3, 1))
    assert found.shape == (AT_ONCE + 3, 3)
    torch.testing.assert_close(found, found[:1].expand_as(found))
