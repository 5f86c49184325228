"""Plans: floors, budgets, thresholds, JSON."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from networks_at_hand import at_hand

from explorer.core.errors import BadInput
from explorer.networks.costs import measure_costs
from explorer.networks.units import none_removed
from explorer.pruning.plan import MEASURES, below_thresholds, from_json, remove_next, remove_until, share_left, to_json

NETWORK = at_hand("plain")  # layers "0" with 5 units and "3" with 6
UNITS, COSTS = NETWORK.units, measure_costs(NETWORK)
SALIENCY = torch.arange(11, dtype=torch.float64)  # layer 0 is the less important one throughout


def test_next_units_are_the_least_important_of_those_left() -> None:
    removed = remove_next(UNITS, none_removed(UNITS), SALIENCY, 2)
    assert remove_next(UNITS, removed, SALIENCY, 1).nonzero()[:, 0].tolist() == [0, 1, 2]


def test_a_layer_at_its_floor_is_passed_over() -> None:
    assert remove_next(UNITS, none_removed(UNITS), SALIENCY, 6).nonzero()[:, 0].tolist() == [0, 1, 2, 3, 5, 6]


def test_a_step_that_can_do_nothing_says_why() -> None:
    removed = remove_next(UNITS, none_removed(UNITS), SALIENCY, 100)
    assert int(removed.sum()) == 9
    with pytest.raises(BadInput, match="No unit can go: every layer is down to its floor of 1"):
        remove_next(UNITS, removed, SALIENCY, 1)


@pytest.mark.parametrize("measure", MEASURES)
@settings(max_examples=20)
@given(target=st.floats(0.35, 0.99), seed=st.integers(0, 99))
def test_until_a_target_removes_the_fewest_units_that_reach_it(measure: str, target: float, seed: int) -> None:
    saliency = torch.rand(11, generator=torch.Generator().manual_seed(seed)).double()
    removed = remove_until(COSTS, none_removed(UNITS), saliency, measure, target)
    assert share_left(COSTS, removed, measure) <= target
    fewer = (
        remove_next(UNITS, none_removed(UNITS), saliency, int(removed.sum()) - 1)
        if removed.sum() > 1
        else none_removed(UNITS)
    )
    assert share_left(COSTS, fewer, measure) > target


@pytest.mark.parametrize(
    ("measure", "target", "message"),
    [
        ("units", 0.0, r"units=0 is not between 0 and 1"),
        ("units", 1.0, r"units=1 is not between 0 and 1"),
        ("units", float("nan"), r"units=nan is not between 0 and 1"),
        ("bytes", 0.5, r"Unknown target 'bytes'; known are units=SHARE, params=SHARE, flops=SHARE"),
        ("units", 0.1, r"units=0.1 can't be reached: with every layer at its floor of 1, 0.182 of the units is left"),
    ],
)
def test_impossible_targets_are_named(measure: str, target: float, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        remove_until(COSTS, none_removed(UNITS), SALIENCY, measure, target)


def test_below_a_threshold_goes_but_the_most_important_unit_stays() -> None:
    removed = below_thresholds(UNITS, none_removed(UNITS), SALIENCY, {"0": 99.0, "3": 6.5})
    assert removed.nonzero()[:, 0].tolist() == [0, 1, 2, 3, 5, 6]


def test_a_layer_without_threshold_loses_nothing() -> None:
    assert not below_thresholds(UNITS, none_removed(UNITS), SALIENCY, {"3": 5.0}).any()


def test_json_both_ways() -> None:
    removed = remove_next(UNITS, none_removed(UNITS), SALIENCY, 6)
    entries = to_json(UNITS, removed)
    assert entries[4] == {"layer": "3", "channel": 0}
    assert torch.equal(from_json(UNITS, entries), removed)


@pytest.mark.parametrize(
    "entries",
    [
        *([{"layer": "0", "channel": channel}] for channel in (5, -1, True, 1.0, "1", None, [1], {})),
        *([{"layer": layer, "channel": 0}] for layer in ("nope", 0, None, ["0"], {})),
        *([7], [[]], "text", None),
    ],
)
def test_a_plan_of_another_network_is_refused(entries: object) -> None:
    with pytest.raises(BadInput, match="is not a unit of this network"):
        from_json(UNITS, entries)


def test_a_unit_that_is_in_a_plan_twice_is_refused() -> None:
    with pytest.raises(BadInput, match="'channel': 1} is in the plan twice"):
        from_json(UNITS, [{"layer": "0", "channel": 1}, {"layer": "3", "channel": 1}, {"layer": "0", "channel": 1}])
