"""Goals: how far the procedure goes for each, and what it says where it can't."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from networks_at_hand import SHAPE, Tensors, at_hand, images

from explorer.core.errors import BadInput
from explorer.evaluation import evaluate as evaluation
from explorer.evaluation.evaluate import latency_share
from explorer.evaluation.metrics import Metrics
from explorer.networks.costs import measure_costs
from explorer.networks.network import Network
from explorer.networks.surgery import prune
from explorer.pruning import procedure
from explorer.pruning.goals import GOALS, check_fast_enough, check_goal, spent
from explorer.pruning.limits import NO_LIMITS, Limits
from explorer.pruning.plan import MEASURES
from explorer.pruning.procedure import PruningStep, iterate
from explorer.pruning.settings import Settings
from explorer.pruning.stop_rules import ending

X = 30 * images(SHAPE, n=24).x
IMAGES = Tensors(X, at_hand("plain").module(X).argmax(1))  # the whole network is always right
SPLITS = dict.fromkeys(("calibration", "finetune", "validation"), IMAGES)
UNITS = 11


def run(**settings) -> list[PruningStep]:
    return list(iterate(at_hand("plain"), SPLITS, Settings(criterion="weight", **settings)))


def said(steps: list[PruningStep], **settings) -> str:
    last = steps[-1]
    costs = measure_costs(at_hand("plain"))
    return ending(costs, last.removed, last.metrics, Settings(criterion="weight", **settings))


@pytest.fixture
def by_units(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """A machine on which a network takes as long as it has units; the widths that were timed."""
    timed: list[int] = []

    def share(network: Network, smaller: Network, **options: object) -> float:
        timed.append(len(smaller.units))
        return len(smaller.units) / len(network.units)

    monkeypatch.setattr(procedure, "latency_share", share)
    monkeypatch.setattr("explorer.pruning.goals.latency_share", share)
    yield timed


def test_every_goal_has_its_row() -> None:
    assert list(GOALS) == [*MEASURES, "latency", "loss", "accuracy"]
    assert [goal.name for goal in GOALS.values() if goal.counted] == list(MEASURES)
    assert [goal.name for goal in GOALS.values() if goal.holds] == ["loss", "accuracy"]
    assert GOALS["flops"].in_words(0.425) == "down to 42.5 % of the FLOPs"
    assert GOALS["loss"].in_words(0.25) == "at most 0.25 nats of loss"


@pytest.mark.parametrize(
    ("name", "number", "message"),
    [
        ("kilos", 0.5, "Unknown target 'kilos'; known are units=SHARE, .*, loss=NATS, accuracy=SHARE"),
        ("latency", 1.0, "latency=1 is not between 0 and 1: it is the share that is left"),
        ("loss", 0.0, "loss=0 is not above 0 and finite"),
        ("loss", float("inf"), "loss=inf is not above 0 and finite"),
        ("loss", float("nan"), "loss=nan is not above 0 and finite"),
        ("accuracy", 95.0, "accuracy=95 is not between 0 and 1: it is the least share of images"),
    ],
)
def test_numbers_that_no_goal_takes_are_refused(name: str, number: float, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        check_goal(name, number)


@pytest.mark.parametrize(
    ("name", "within", "beyond"), [("loss", 0.51, 0.49), ("accuracy", 0.74, 0.76), ("units", 0.1, 0.1)]
)
def test_a_budget_is_spent_by_what_lies_beyond_it_alone(name: str, within: float, beyond: float) -> None:
    metrics = Metrics(0.5, 0.75, 24, 5, 100, 1000)
    assert spent(name, within, metrics) is None
    assert (spent(name, beyond, metrics) is None) == GOALS[name].counted


def test_the_first_state_beyond_a_loss_is_the_last() -> None:
    free = [step.metrics for step in run(target=0.1999)]
    most = max(metrics.loss for metrics in free[:4]) + 1e-6
    beyond = next(place for place, metrics in enumerate(free) if metrics.loss > most)
    steps = run(measure="loss", target=most)
    assert [step.metrics for step in steps] == free[: beyond + 1] and beyond > 3
    assert "after the last step the loss is" in said(steps, measure="loss", target=most)


def test_a_floor_and_a_budget_of_accuracy_end_a_run_alike() -> None:
    accuracies = [step.metrics.accuracy for step in run(target=0.1999)]
    least = 0.9
    first = next(place for place, accuracy in enumerate(accuracies) if accuracy < least)
    budget, floor = run(measure="accuracy", target=least), run(target=0.1999, least_accuracy=least)
    assert [step.metrics for step in budget] == [step.metrics for step in floor]
    assert len(budget) == first + 1
    assert "after the last step the accuracy is" in said(budget, measure="accuracy", target=least)


def test_a_budget_that_is_never_spent_ends_with_the_floors() -> None:
    steps = run(measure="loss", target=1e6, limits=Limits(4))
    assert steps[-1].metrics.units == 8
    assert "is not spent, but no unit can go" in said(steps, measure="loss", target=1e6, limits=Limits(4))


@pytest.mark.parametrize(
    "settings", [{"measure": "loss", "target": 1e-9}, {"measure": "loss", "target": 1.0, "least_accuracy": 0.999}]
)
def test_a_budget_that_the_network_as_given_does_not_hold_is_refused(settings: dict) -> None:
    wrong = Tensors(IMAGES.x, (IMAGES.y + 1) % 3)
    with pytest.raises(BadInput, match=r"spent before the first step: the (loss is \d|accuracy is 0)"):
        next(iterate(at_hand("plain"), {**SPLITS, "validation": wrong}, Settings(criterion="weight", **settings)))


def test_latency_is_measured_after_every_step_until_it_is_down(by_units: list[int]) -> None:
    steps = run(measure="latency", target=0.7)
    assert [step.metrics.latency for step in steps] == [units / UNITS for units in (11, 10, 9, 8, 7)]
    assert by_units == [2, 10, 9, 8, 7]  # the smallest there is, before any step
    assert said(steps, measure="latency", target=0.7) == "Reached: down to 70 % of the latency."


def test_a_measured_state_is_not_measured_again_when_the_run_goes_on(by_units: list[int]) -> None:
    settings = Settings(criterion="weight", measure="latency", target=0.7)
    whole = run(measure="latency", target=0.7)
    by_units.clear()
    rest = list(iterate(at_hand("plain"), SPLITS, settings, start=whole[2]))
    assert [step.metrics for step in rest] == [step.metrics for step in whole[3:]] and 9 not in by_units


def test_a_latency_below_that_of_the_smallest_network_is_refused(by_units: list[int]) -> None:
    with pytest.raises(BadInput, match=r"latency=0\.1 can't be reached: with every layer at .* 1, 0\.182 of the"):
        run(measure="latency", target=0.1)
    check_fast_enough(at_hand("plain"), measure_costs(at_hand("plain")), 0.2, NO_LIMITS)


def test_networks_are_timed_in_turns_and_their_lower_quartiles_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    network = at_hand("plain")
    smaller = prune(network, run(target=0.5)[-1].removed)
    times = iter([1.0, 9.0] * evaluation.WARMUP + [10.0, 2.0, 20.0, 30.0, 100.0, 10.0])
    seen = []
    monkeypatch.setattr(evaluation, "timed", lambda body, x: seen.append(body) or next(times))
    assert latency_share(network, smaller, rounds=3) == 6 / 15  # of (2, 10, 30) and (10, 20, 100), a quarter of the way
    assert seen == [network.module, smaller.module] * (evaluation.WARMUP + 3)
