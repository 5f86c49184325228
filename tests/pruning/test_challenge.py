"""The challenge by hand against plain evaluation and arithmetic."""

from __future__ import annotations

import math

import pytest
import torch
from networks_at_hand import SHAPE, at_hand, images

from explorer.core.errors import BadInput
from explorer.evaluation.evaluate import evaluate
from explorer.networks.costs import measure_costs
from explorer.networks.surgery import prune
from explorer.pruning.challenge import (
    Challenge,
    ahead,
    challenge_from,
    chance_plans,
    contend,
    contend_tuned,
    gap,
    hand_plan,
    image_drawn,
    joint_plan,
    most,
    shared,
)
from explorer.training.finetune import Training, minibatches, train

NETWORK = at_hand("plain")  # layers of 5 and 6 units
UNITS, IMAGES = NETWORK.units, images(SHAPE)
FIRST, SECOND = (layer.name for layer in UNITS.layers)


def test_a_choice_by_hand_costs_what_the_pruned_network_says() -> None:
    plan = hand_plan(UNITS, {FIRST: (0, 3), SECOND: (5,)}, 3)
    assert plan.nonzero()[:, 0].tolist() == [0, 3, 5 + 5]
    found, pruned = contend(NETWORK, IMAGES, [plan]), evaluate(prune(NETWORK, plan), IMAGES)
    assert found.loss == pytest.approx(pruned.loss, abs=1e-5)
    assert found.accuracy == pruned.accuracy
    assert found.error == pytest.approx(pruned.loss_error, rel=1e-4)


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({FIRST: (0,)}, "1 unit chosen, and the challenge is about 2"),
        ({FIRST: (0, 1), SECOND: (0,)}, "3 units chosen"),
        ({FIRST: (0, 1, 2, 3, 4)}, "every layer keeps at least 1"),
        ({FIRST: (0, 9)}, "Channel 9 of .* is no unit"),
        ({"<b>": (0,)}, "is no unit"),
    ],
)
def test_a_choice_that_is_none_is_refused(chosen: dict[str, tuple[int, ...]], sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence):
        hand_plan(UNITS, chosen, 2)


def test_chance_is_the_same_for_the_same_seed_and_empties_no_layer() -> None:
    assert most(UNITS) == 9
    for count in (1, 4, 9):
        first, again, other = (chance_plans(UNITS, count, seed, 6) for seed in (7, 7, 8))
        assert [plan.tolist() for plan in first] == [plan.tolist() for plan in again]
        assert [plan.tolist() for plan in first] != [plan.tolist() for plan in other]
        for plan in first:
            assert int(plan.sum()) == count
            assert not any(gone.all() for gone in UNITS.by_layer(plan).values())


def test_the_loss_of_chance_is_the_mean_over_its_draws() -> None:
    plans = chance_plans(UNITS, 4, 0, 3)
    alone = [evaluate(NETWORK, IMAGES, plan) for plan in plans]
    found = contend(NETWORK, IMAGES, plans)
    assert found.loss == pytest.approx(sum(each.loss for each in alone) / 3)
    assert found.accuracy == pytest.approx(sum(each.accuracy for each in alone) / 3)
    assert found.spread == pytest.approx((min(each.loss for each in alone), max(each.loss for each in alone)))


def test_a_gap_is_told_apart_by_the_differences_on_the_same_images() -> None:
    one, other = (contend(NETWORK, IMAGES, [plan]) for plan in chance_plans(UNITS, 5, 3, 2))
    d = (one.losses - other.losses).tolist()
    mean = sum(d) / len(d)
    error = math.sqrt(sum((each - mean) ** 2 for each in d) / (len(d) - 1) / len(d))
    found = gap(one, other)
    assert (found.mean, found.error) == pytest.approx((mean, error))
    assert found.told_apart == (abs(mean) > 1.959964 * error)
    assert gap(other, one).mean == pytest.approx(-mean)
    assert not gap(one, one).told_apart
    best = min((one, other), key=lambda each: each.loss)
    named = {"one": one, "other": other, "best": best}
    assert {"best"} < set(ahead(named)) and ("one" in ahead(named)) == (one is best or not found.told_apart)


def test_the_joint_choice_has_as_many_units_and_overlaps_are_counted() -> None:
    for count in (1, 4, 9):
        plan = joint_plan(NETWORK, measure_costs(NETWORK), IMAGES, count)
        assert int(plan.sum()) == count
        assert not any(gone.all() for gone in UNITS.by_layer(plan).values())
        assert shared(plan, [plan, ~plan]) == count / 2


def test_a_choice_is_fine_tuned_as_its_pruned_network_is() -> None:
    (plan,) = chance_plans(UNITS, 4, 1, 1)
    training = Training(seed=2)
    found = contend_tuned(NETWORK, {"finetune": IMAGES, "validation": IMAGES}, plan, 2, training)
    smaller = prune(NETWORK, plan)
    module = train(smaller.module, minibatches(IMAGES, 32, 2), 2, training)
    with torch.no_grad():
        logits = module(IMAGES.x)
    assert found.loss == pytest.approx(float(torch.nn.functional.cross_entropy(logits, IMAGES.y)), abs=1e-6)


def test_a_link_carries_network_number_and_seed() -> None:
    challenge = Challenge("0123456789abcdef", 12, 345)
    assert challenge_from(str(challenge)) == challenge
    for wrong in (
        "",
        "0123456789abcdef",
        f"{challenge}.1",
        "x" * 16 + ".1.1",
        "0123456789abcdef.0.1",
        f"{challenge}9999999",
    ):
        with pytest.raises(BadInput, match="is no challenge"):
            challenge_from(wrong)
    assert {image_drawn(5, seed) for seed in range(40)} == set(range(5))
