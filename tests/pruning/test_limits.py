"""Limits: whatever goes, floors and widths hold; and of what may go, the least important goes first."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from networks_at_hand import MODULES, at_hand, images
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.evaluation.evaluate import evaluate
from explorer.networks.costs import measure_costs
from explorer.networks.surgery import prune
from explorer.networks.units import Units, none_removed
from explorer.pruning import joint
from explorer.pruning.limits import Limits, portions, unmet, with_layers_kept, with_units_chosen
from explorer.pruning.plan import below_thresholds, remove_next, remove_until, share_left

UNITS = at_hand("plain").units  # layers "0" with 5 units and "3" with 6
SALIENCY = torch.arange(11, dtype=torch.float64)


def drawn(units: Units, seed: int, share: float) -> tuple[Tensor, Tensor]:
    """A plan that leaves each layer at least one unit, and saliencies, some of them tied."""
    generator = torch.Generator().manual_seed(seed)
    removed = torch.rand(len(units), generator=generator) < share
    removed[[place.start for place in units.slices.values()]] = False
    return removed, torch.randint(6, (len(units),), generator=generator).double()


@pytest.mark.parametrize("name", MODULES)
@given(
    seed=st.integers(0, 999),
    share=st.floats(0, 0.6),
    floor=st.integers(1, 5),
    multiple=st.integers(1, 5),
    count=st.integers(0, 40),
)
def test_whatever_number_of_portions_goes_floors_and_widths_hold(name, seed, share, floor, multiple, count) -> None:
    units = at_hand(name).units
    removed, saliency = drawn(units, seed, share)
    limits = Limits(floor, {units.layers[0].name: 3}, multiple)
    gone = [unit for portion in portions(units, removed, saliency, limits)[:count] for unit in portion]
    assert len(set(gone)) == len(gone) and not removed[gone].any()
    plan = removed.clone()
    plan[gone] = True
    for layer, before in units.by_layer(~removed).items():
        width, had = int((~plan[units.slices[layer]]).sum()), int(before.sum())
        if width < had:
            assert width >= max(1, limits.floors.get(layer, floor)) and width % multiple == 0


@given(seed=st.integers(0, 999), share=st.floats(0, 0.5), floor=st.integers(1, 4))
def test_single_units_go_in_the_order_of_a_plain_search(seed: int, share: float, floor: int) -> None:
    removed, saliency = drawn(UNITS, seed, share)
    layer_of, left, expected = UNITS.layer_index.tolist(), [0, 0], []
    for unit in range(11):
        left[layer_of[unit]] += not removed[unit]
    for unit in sorted(range(11), key=lambda u: float(saliency[u])):
        if not removed[unit] and left[layer_of[unit]] > floor:
            left[layer_of[unit]] -= 1
            expected.append([unit])
    assert portions(UNITS, removed, saliency, Limits(floor)) == expected


def test_a_portion_takes_its_layer_to_the_next_multiple_and_counts_by_its_mean() -> None:
    saliency = torch.tensor([4.0, 1, 9, 9, 9, 0, 1, 5, 5, 8, 8], dtype=torch.float64)
    found = portions(UNITS, none_removed(UNITS), saliency, Limits(multiple=2))
    assert found == [[5, 6], [1], [7, 8], [0, 2]]  # means 0.5, 1, 5, 6.5
    assert remove_next(UNITS, none_removed(UNITS), saliency, 2, Limits(multiple=2)).nonzero()[:, 0].tolist() == [5, 6]
    assert (
        int(remove_next(UNITS, none_removed(UNITS), saliency, 4, Limits(multiple=2)).sum()) == 5
    )  # the last goes whole


def test_portions_of_equal_units_keep_their_order() -> None:
    found = portions(UNITS, none_removed(UNITS), torch.full((11,), 0.1).double(), Limits(multiple=3))
    assert found == [[0, 1], [5, 6, 7]]


def test_kept_layers_lose_nothing_by_any_way_to_choose() -> None:
    network, batches = at_hand("plain"), images((1, 8, 8), n=6)
    limits = with_layers_kept(UNITS, ["0"])
    costs, whole = measure_costs(network), none_removed(UNITS)
    assert limits.of(UNITS) == {"0": 5, "3": 1}
    said = evaluate(network, batches).logits
    plans = [
        remove_next(UNITS, whole, SALIENCY, 99, limits),
        remove_until(costs, whole, SALIENCY, "units", 0.6, limits),
        below_thresholds(UNITS, whole, SALIENCY, {"0": 99.0, "3": 99.0}, limits),
        joint.select(network, costs, batches, whole, joint.Course("units", 0.6, limits=limits)),
    ]
    for plan in plans:
        assert not plan[:5].any() and plan[5:].any()
    assert (
        joint.ranking(network, batches, said, joint.Rules(limits=limits)).places[:5].min() >= 5
    )  # after all that may go


def test_a_target_is_met_in_allowed_widths() -> None:
    network = at_hand("plain")
    costs = measure_costs(network)
    plan = remove_until(costs, none_removed(UNITS), SALIENCY, "flops", 0.5, Limits(multiple=2))
    assert [int((~part).sum()) for part in UNITS.by_layer(plan).values()] == [2, 6]
    assert share_left(costs, plan, "flops") <= 0.5
    with pytest.raises(
        BadInput, match=r"units=0.3 can't be reached: with every layer at its floor of 2, in steps of 2"
    ):
        remove_until(costs, none_removed(UNITS), SALIENCY, "units", 0.3, Limits(2, multiple=2))


def test_below_a_threshold_widths_are_rounded_up() -> None:
    plan = below_thresholds(UNITS, none_removed(UNITS), SALIENCY, {"0": 1.5, "3": 7.5}, Limits(multiple=2))
    assert plan.nonzero()[:, 0].tolist() == [0, 5, 6]  # 2 and 3 lie below


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Limits(0), "A floor of 0 is not possible"),
        (lambda: Limits(1, {"0": -2}), "A floor of -2 is not possible"),
        (lambda: Limits(multiple=0), "can't be multiples of 0"),
        (lambda: Limits(1, {"9": 2}).of(UNITS), "A floor is given for '9', which is no prunable layer"),
        (lambda: with_layers_kept(UNITS, ["nine"]), "'nine' can't be kept: it is no prunable layer"),
    ],
)
def test_impossible_limits_are_refused(make, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        make()


CHOSEN = with_units_chosen(UNITS, {"3": (1,)}, {"0": (4,), "3": (5,)})  # saliency k = unit k: units 6, 4 and 10


def test_units_chosen_to_stay_or_to_go_do_so_by_any_way_to_choose() -> None:
    network, batches = at_hand("plain"), images((1, 8, 8), n=6)
    costs, whole = measure_costs(network), none_removed(UNITS)
    assert portions(UNITS, whole, SALIENCY, CHOSEN) == [[4], [10], [0], [1], [2], [5], [7], [8], [9]]
    plans = [
        remove_next(UNITS, whole, SALIENCY, 99, CHOSEN),
        remove_until(costs, whole, SALIENCY, "units", 0.4, CHOSEN),
        below_thresholds(UNITS, whole, SALIENCY, {"3": 99.0}, CHOSEN),
        joint.select(network, costs, batches, whole, joint.Course("units", 0.4, limits=CHOSEN)),
    ]
    for plan in plans:
        assert not plan[6] and plan[4] and plan[10]
    assert [int((~part).sum()) for part in UNITS.by_layer(plans[0]).values()] == [1, 1]
    assert plans[2].nonzero()[:, 0].tolist() == [4, 5, 7, 8, 9, 10]


def test_a_unit_chosen_to_stay_comes_last_in_the_joint_order() -> None:
    network, batches = at_hand("plain"), images((1, 8, 8), n=6)
    said = evaluate(network, batches).logits
    limits = with_units_chosen(UNITS, {"0": (0, 1, 2, 3, 4), "3": (2,)}, {})
    places = joint.ranking(network, batches, said, joint.Rules(limits=limits)).places
    assert places[[5, 6, 8, 9, 10]].max() == 4


def test_choices_outlive_surgery_by_the_channels_of_the_network_as_loaded() -> None:
    network = at_hand("plain")
    removed = none_removed(UNITS)
    removed[[0, 6]] = True
    smaller = prune(network, removed).units
    limits = with_units_chosen(UNITS, {"0": (0, 2)}, {"3": (1, 3)})
    assert limits.staying(smaller).nonzero()[:, 0].tolist() == [1]  # channel 2 of 1, 2, 3, 4
    assert limits.going(smaller).nonzero()[:, 0].tolist() == [6]  # channel 3 of 0, 2, 3, 4, 5
    assert portions(UNITS, removed, SALIENCY, limits)[0] == [8]


@given(
    seed=st.integers(0, 999),
    share=st.floats(0, 0.6),
    floor=st.integers(1, 4),
    multiple=st.integers(1, 4),
    line=st.floats(-1, 7),
)
def test_a_threshold_takes_what_a_plain_search_takes(seed, share, floor, multiple, line) -> None:
    removed, saliency = drawn(UNITS, seed, share)
    generator = torch.Generator().manual_seed(seed)
    lots = torch.randint(4, (len(UNITS),), generator=generator)  # 0 stays, 1 goes, others are free
    stay, go = (chosen_of(lots == lot) for lot in (0, 1))
    limits = with_units_chosen(UNITS, stay, go, Limits(floor, {}, multiple))
    plan = below_thresholds(UNITS, removed, saliency, {"0": line}, limits)
    taken = removed.clone()
    for portion in portions(UNITS, removed, saliency, limits):
        if all(lots[unit] == 1 or (unit < 5 and saliency[unit] < line) for unit in portion):
            taken[portion] = True
    assert torch.equal(plan, taken)
    assert not (plan & ~removed)[lots == 0].any()
    for part, before in zip(UNITS.by_layer(~plan).values(), UNITS.by_layer(~removed).values(), strict=True):
        assert part.sum() >= min(floor, int(before.sum()))
        assert part.sum() == before.sum() or part.sum() % multiple == 0


def chosen_of(mask: Tensor) -> dict[str, tuple[int, ...]]:
    return {name: tuple(part.nonzero()[:, 0].tolist()) for name, part in UNITS.by_layer(mask).items()}


def test_what_was_to_go_and_stays_is_explained() -> None:
    everything = chosen_of(torch.ones(11, dtype=torch.bool))
    limits = with_units_chosen(UNITS, {}, everything)
    plan = below_thresholds(UNITS, none_removed(UNITS), SALIENCY, {}, limits)
    assert [int((~part).sum()) for part in UNITS.by_layer(plan).values()] == [1, 1]
    said = (
        "Chosen to go, and staying: 1 of 0, which is down to its floor of 1; 1 of 3, which is down to its floor of 1."
    )
    assert unmet(UNITS, plan, limits) == said
    locked = with_layers_kept(UNITS, ["0"], with_units_chosen(UNITS, {}, {"0": (1, 2), "3": (0,)}))
    plan = below_thresholds(UNITS, none_removed(UNITS), SALIENCY, {}, locked)
    assert unmet(UNITS, plan, locked) == "Chosen to go, and staying: 2 of 0, which stays whole."
    rounded = with_units_chosen(UNITS, {}, {"0": (1, 2)}, Limits(multiple=4))
    plan = below_thresholds(UNITS, none_removed(UNITS), SALIENCY, {}, rounded)
    assert plan.nonzero()[:, 0].tolist() == [1]
    assert (
        unmet(UNITS, plan, rounded)
        == "Chosen to go, and staying: 1 of 0, which only loses units down to multiples of 4."
    )
    assert unmet(UNITS, plan, CHOSEN) is not None and unmet(UNITS, none_removed(UNITS), Limits(2)) is None


def test_a_plan_that_can_do_nothing_more_names_the_units_that_stay() -> None:
    limits = with_units_chosen(UNITS, chosen_of(torch.ones(11, dtype=torch.bool)), {})
    with pytest.raises(BadInput, match="down to its floor of 1, with 11 units chosen to stay"):
        remove_next(UNITS, none_removed(UNITS), SALIENCY, 1, limits)


@pytest.mark.parametrize(
    ("stay", "go", "message"),
    [
        ({"0": (1, 2)}, {"0": (2,)}, "Channel 2 of '0' can't both stay and go"),
        ({"0": (5,)}, {}, "Channel 5 of '0' can't be chosen: it is no unit"),
        ({}, {"nine": (0,)}, "Channel 0 of 'nine' can't be chosen"),
    ],
)
def test_impossible_choices_are_refused(stay, go, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        with_units_chosen(UNITS, stay, go)
