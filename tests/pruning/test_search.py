"""Search: against trying every plan of the ranking."""

from __future__ import annotations

import pytest
import torch
from networks_at_hand import SHAPE, Tensors, at_hand, images
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.evaluation.evaluate import evaluate
from explorer.networks.costs import measure_costs
from explorer.networks.units import none_removed
from explorer.pruning import search as searching
from explorer.pruning.limits import NO_LIMITS, Limits
from explorer.pruning.search import Search, furthest

NETWORK = at_hand("plain")
X = 30 * images(SHAPE, n=24).x
IMAGES = Tensors(X, NETWORK.module(X).argmax(1))
RANKED = torch.randperm(11, generator=torch.Generator().manual_seed(1)).double()


def search(removed: Tensor | None = None, limits: Limits = NO_LIMITS) -> Search:
    plan = none_removed(NETWORK.units) if removed is None else removed
    return Search(NETWORK, NETWORK, measure_costs(NETWORK), IMAGES, plan, RANKED, limits)


@pytest.fixture
def by_units(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "latency_share", lambda full, less, report: len(less.units) / len(full.units))


@pytest.mark.parametrize(("name", "number"), [("accuracy", 0.6), ("accuracy", 0.55), ("loss", 0.75), ("loss", 1.0)])
def test_a_budget_holds_with_the_plan_found_and_not_with_the_next(name: str, number: float) -> None:
    values = [getattr(evaluate(NETWORK, IMAGES, search().plan(n)), name) for n in range(10)]
    within = [value >= number if name == "accuracy" else value <= number for value in values]
    found = furthest(search(), name, number)
    count = int(found.removed.sum())
    assert within[count] and count > 0 and (count == 9 or not within[count + 1])
    assert torch.equal(found.removed, search().plan(count)) and found.measurements <= 5


def test_all_goes_where_the_budget_allows_it() -> None:
    assert int(furthest(search(), "loss", 1e6).removed.sum()) == 9
    assert int(furthest(search(limits=Limits(3)), "loss", 1e6).removed.sum()) == 5


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9])
def test_the_fewest_units_that_are_fast_enough_go(by_units: None, share: float) -> None:
    found = furthest(search(), "latency", share)
    left = 11 - int(found.removed.sum())
    assert left / 11 <= share < (left + 1) / 11 and found.latency == left / 11


def test_a_latency_that_does_not_hold_when_measured_again_takes_more(monkeypatch: pytest.MonkeyPatch) -> None:
    told = iter([0.1, 1.0, 0.9, 0.4, 0.8, 0.7, 0.45, 0.7, 0.6, 0.45])
    monkeypatch.setattr(searching, "latency_share", lambda full, less, report: next(told))
    found = furthest(search(), "latency", 0.5)
    assert found.latency is not None and found.latency <= 0.5


@pytest.mark.parametrize(
    ("name", "number", "message"),
    [
        ("latency", 0.1, r"latency=0\.1 can't be reached: with every layer at its floor of 1, 0\.182 of the latency"),
        ("latency", 0.999, None),
        ("loss", 0.5, r"Nothing can go \(at most 0\.5 nats of loss\): without the next to go, the loss is 0\.7129"),
    ],
)
def test_what_can_not_be_is_said(by_units: None, name: str, number: float, message: str | None) -> None:
    if message:
        with pytest.raises(BadInput, match=message):
            furthest(search(), name, number)
    else:
        assert int(furthest(search(), name, number).removed.sum()) == 1


def test_nothing_is_searched_where_nothing_can_go_or_it_is_there_already(by_units: None) -> None:
    with pytest.raises(BadInput, match="No unit can go: every layer is down to its floor of 6"):
        search(limits=Limits(6))
    removed = search().plan(3)
    with pytest.raises(BadInput, match=r"72\.7% of the latency is left already: there is nothing to remove"):
        furthest(search(removed), "latency", 0.8)
