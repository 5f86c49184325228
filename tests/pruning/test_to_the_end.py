"""The way to the last unit: equal steps, each the one that would be taken by itself."""

from __future__ import annotations

import pytest
import torch
from networks_at_hand import SHAPE, at_hand, images
from torch import Tensor

from explorer.networks.costs import measure_costs
from explorer.networks.units import Layer, Units, none_removed
from explorer.pruning.limits import Limits
from explorer.pruning.plan import remove_next
from explorer.pruning.procedure import iterate
from explorer.pruning.settings import Settings
from explorer.pruning.to_the_end import milestones, plans_anew, plans_by, smallest

UNITS = Units((Layer("a", tuple(range(7)), (), (), (), 7), Layer("b", tuple(range(16)), (), (), (), 16)), {})
SALIENCY = torch.rand(23, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("steps", [1, 4, 21, 40])
@pytest.mark.parametrize("limits", [Limits(), Limits(multiple=4), Limits(floor=5)])
def test_steps_are_equal_and_end_where_no_unit_can_go(steps: int, limits: Limits) -> None:
    counts = milestones(UNITS, none_removed(UNITS), limits, steps)
    end = int(smallest(UNITS, none_removed(UNITS), limits).sum())
    assert counts[-1] == end and len(counts) == min(steps, end)
    taken = torch.tensor([0, *counts]).diff()
    assert taken.min() >= 1 and taken.max() - taken.min() <= 1


def test_a_way_from_the_middle_passes_the_same_counts() -> None:
    whole = milestones(UNITS, none_removed(UNITS), Limits(), 6)
    halfway = remove_next(UNITS, none_removed(UNITS), SALIENCY, whole[2])
    assert milestones(UNITS, halfway, Limits(), 6) == whole[3:]
    assert milestones(UNITS, smallest(UNITS, halfway, Limits()), Limits(), 6) == []


@pytest.mark.parametrize("limits", [Limits(), Limits(multiple=4)])
def test_each_plan_is_the_step_that_a_button_takes(limits: Limits) -> None:
    counts = milestones(UNITS, none_removed(UNITS), limits, 6)
    plan, asked = none_removed(UNITS), []

    def saliency_at(removed: Tensor) -> Tensor:
        asked.append(removed)
        return SALIENCY

    for found in plans_by(UNITS, plan, saliency_at, counts, limits):
        count = next(each for each in counts if each > int(plan.sum()))
        plan = remove_next(UNITS, plan, SALIENCY, count - int(plan.sum()), limits)
        assert torch.equal(found, plan)
    assert plan.sum() == smallest(UNITS, none_removed(UNITS), limits).sum()
    assert not asked[0].any() and len(asked) <= len(counts)


def test_ranked_anew_the_way_is_that_of_the_procedure() -> None:
    network, batches = at_hand("plain"), images(SHAPE, n=24)
    settings = Settings(criterion="taylor", step=2, target=0.5)
    steps = [step.removed for step in iterate(network, {"calibration": batches, "validation": batches}, settings)]
    costs = measure_costs(network)
    found = list(plans_anew(network, costs, {"calibration": batches}, steps[1], settings))
    assert all(torch.equal(a, b) for a, b in zip(found, steps[2:], strict=False)) and len(found) > len(steps[2:])
    assert all(int((~part).sum()) == 1 for part in network.units.by_layer(found[-1]).values())
    assert list(plans_anew(network, costs, {"calibration": batches}, found[-1], settings)) == []
