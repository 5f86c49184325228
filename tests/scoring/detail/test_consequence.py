"""What a removal does, against networks that are really cut, and by arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from networks_at_hand import MODULES, UNUSUAL, at_hand, images, shape_of
from torch.nn import functional as F

from explorer.evaluation.evaluate import Outcome, evaluate
from explorer.networks.costs import measure_costs
from explorer.networks.coupling import width
from explorer.networks.surgery import prune
from explorer.networks.units import none_removed
from explorer.pruning.plan import remove_next
from explorer.scoring.detail import coupled, effects_by_class, effects_overall, open_and_closed, saving

EVERY = [*MODULES, *UNUSUAL]


def some_gone(name: str) -> torch.Tensor:
    """A plan of three units, in any order of the network's."""
    units = at_hand(name).units
    return remove_next(
        units, none_removed(units), torch.rand(len(units), generator=torch.Generator().manual_seed(1)), 3
    )


@pytest.mark.parametrize("name", EVERY)
def test_changes_by_class_are_those_of_the_network_that_is_really_cut(name: str) -> None:
    network, batches, removed = at_hand(name), images(shape_of(name)), some_gone(name)
    unit = int((~removed).nonzero()[-1])
    before, after = (evaluate(network, batches, plan) for plan in open_and_closed(removed, unit))
    found = effects_by_class(before, after, 3)
    losses = []
    for plan in (removed, removed | (torch.arange(len(removed)) == unit)):
        logits = prune(network, plan).module(batches.x)
        losses.append(F.cross_entropy(logits, batches.y, reduction="none").double().numpy())
    change, labels = losses[1] - losses[0], batches.y.numpy()
    for label in range(3):
        of_class = change[labels == label]
        assert found.images[label] == len(of_class)
        assert float(found.loss[label]) == pytest.approx(of_class.mean(), abs=1e-5)
        expected = of_class.std(ddof=1) / len(of_class) ** 0.5
        assert float(found.error[label]) == pytest.approx(expected, rel=1e-3, abs=1e-5)
    overall = effects_overall(before, after)
    assert float(overall.loss) == pytest.approx(after.loss - before.loss, abs=1e-9)
    assert float(overall.accuracy) == pytest.approx(after.accuracy - before.accuracy, abs=1e-9)
    assert overall.images.tolist() == [len(batches)]


def test_groups_of_one_image_and_of_none_are_told_apart() -> None:
    before = Outcome(torch.tensor([[2.0, 0, 0], [0, 1, 0], [0, 1, 0]]), torch.tensor([0, 1, 1]))
    after = Outcome(torch.tensor([[0.0, 2, 0], [0, 1, 0], [1, 0, 0]]), before.labels)
    found = effects_by_class(before, after, 3)
    e = math.e
    assert found.images.tolist() == [1, 2, 0]
    assert found.loss[:2].tolist() == pytest.approx([2.0, 0.5])
    assert found.accuracy[:2].tolist() == [-1, -0.5]
    changes = np.array([0.0, math.log(e + 2) - math.log((e + 2) / e)])
    assert float(found.error[1]) == pytest.approx(changes.std(ddof=1) / 2**0.5)
    assert found.error[0] == math.inf
    assert found.loss[2].isnan() and found.accuracy[2].isnan()


def test_a_unit_is_open_in_one_plan_and_closed_in_the_other() -> None:
    removed = torch.tensor([True, False, True])
    for unit in range(3):
        left, gone = open_and_closed(removed, unit)
        assert not left[unit] and gone[unit]
        others = torch.arange(3) != unit
        assert torch.equal(left[others], removed[others]) and torch.equal(gone[others], removed[others])
    assert removed.tolist() == [True, False, True]


@pytest.mark.parametrize("name", EVERY)
def test_what_is_coupled_is_what_a_cut_takes_away(name: str) -> None:
    network = at_hand(name)
    for unit in range(len(network.units)):
        cut = prune(network, torch.arange(len(network.units)) == unit).module
        shrunk = {
            (module, side): width(network.module.get_submodule(module), side) - width(cut.get_submodule(module), side)
            for layer in network.units.layers
            for module, side in {(c.module, c.side) for c in layer.couplings}
        }
        found = coupled(network, unit)
        assert {(c.module, c.side): len(c.channels) for c in found} == {p: lost for p, lost in shrunk.items() if lost}
        assert all(c.width == width(network.module.get_submodule(c.module), c.side) for c in found)
        assert all(c.kind == type(network.module.get_submodule(c.module)).__name__ for c in found)


def test_what_writes_the_unit_comes_first() -> None:
    found = coupled(at_hand("residual"), 2)
    assert [(c.module, c.side) for c in found] == [
        ("stem", "out"),
        ("conv2", "out"),
        ("norm0", "out"),
        ("norm2", "out"),
        ("conv1", "in"),
        ("head", "in"),
    ]
    assert {c.channels for c in found} == {(2,)}
    assert coupled(at_hand("grouped"), 0)[0].channels == (0, 3)


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("gone", [False, True])
def test_the_saving_is_what_a_cut_network_has_less(name: str, gone: bool) -> None:
    network, costs = at_hand(name), measure_costs(at_hand(name))
    removed = some_gone(name)
    for unit in (removed if gone else ~removed).nonzero()[:, 0].tolist():
        left, without = open_and_closed(removed, unit)
        if any(not (~part).any() for part in network.units.by_layer(without).values()):
            continue  # the last of its layer can't be cut
        networks = [prune(network, plan) for plan in (left, without)]
        parameters = [sum(p.numel() for p in each.module.parameters()) for each in networks]
        flops = [measure_costs(each).flops() for each in networks]
        found = saving(costs, removed, unit)
        assert (found.parameters, found.of_parameters) == (parameters[0] - parameters[1], parameters[0])
        assert (found.flops, found.of_flops) == (flops[0] - flops[1], flops[0])


def test_the_saving_of_a_unit_is_the_same_before_and_after_its_removal() -> None:
    costs = measure_costs(at_hand("plain"))
    removed = torch.arange(11) == 4
    assert saving(costs, removed, 4) == saving(costs, torch.zeros(11, dtype=torch.bool), 4)
