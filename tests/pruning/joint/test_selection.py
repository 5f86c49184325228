"""The whole selection: targets, floors, new linearisations on the way, and cancelling."""

from __future__ import annotations

import math

import pytest
import torch
from networks_at_hand import MODULES, SHAPE, at_hand, images

from explorer.core.errors import BadInput
from explorer.core.progress import silent
from explorer.evaluation.evaluate import evaluate
from explorer.networks.costs import measure_costs
from explorer.networks.network import Network
from explorer.networks.surgery import prune
from explorer.networks.units import none_removed
from explorer.pruning import joint
from explorer.pruning.joint import Course, Rules, default_step, order, ranking, select, selection
from explorer.pruning.plan import share_left
from explorer.pruning.procedure import Settings, iterate
from explorer.scoring.predict import linearise_all
from explorer.scoring.ranking import charges
from explorer.training.finetune import Recipe

IMAGES = images(SHAPE, n=10)
SPLITS = dict.fromkeys(("calibration", "finetune", "validation"), IMAGES)


@pytest.fixture
def never_further(monkeypatch: pytest.MonkeyPatch) -> None:
    """Linearise anew after every round, even where units of these small networks change almost nothing."""
    for module in (selection, joint):
        monkeypatch.setattr(module, "NEGLIGIBLE_LOSS", -math.inf)


def selected(network: Network, measure: str, target: float, *, removed=None, report=silent, **how) -> torch.Tensor:
    start = none_removed(network.units) if removed is None else removed
    return select(network, measure_costs(network), IMAGES, start, Course(measure, target, **how), report)


@pytest.mark.parametrize("measure", ["units", "params", "flops"])
@pytest.mark.parametrize("name", MODULES)
def test_the_target_is_met_and_no_layer_ends_empty(name: str, measure: str) -> None:
    network = at_hand(name)
    plan = selected(network, measure, 0.6, every=2)
    assert share_left(measure_costs(network), plan, measure) <= 0.6
    assert all(not part.all() for part in network.units.by_layer(plan).values())


@pytest.mark.usefixtures("never_further")
@pytest.mark.parametrize("name", MODULES)
def test_each_round_goes_on_from_the_network_that_the_last_one_left(name: str) -> None:
    network, gone = at_hand(name), []
    reference = evaluate(network, IMAGES).logits
    while len(gone) < 4:  # two rounds of two
        left = [u for u in range(len(network.units)) if u not in gone]
        removed = none_removed(network.units)
        removed[gone] = True
        found = order(linearise_all(prune(network, removed), IMAGES), reference, Rules(2))
        gone += [left[u] for u in found.units.tolist()]
    plan = selected(network, "units", 1.001 - len(gone) / len(network.units), every=2)
    assert sorted(gone) == plan.nonzero()[:, 0].tolist()


def test_units_that_change_nothing_need_no_new_linearisation(monkeypatch: pytest.MonkeyPatch) -> None:
    network = at_hand("plain")
    network.module[3].weight[:4] = 0.0
    network.module[3].bias[:4] = -1.0  # never active
    rounds = []
    monkeypatch.setattr(selection, "linearise_all", lambda *a, **k: (rounds.append(a), linearise_all(*a, **k))[1])
    dead = selected(network, "units", 7 / 11, every=1)
    assert (dead.nonzero()[:, 0].tolist(), len(rounds)) == ([5, 6, 7, 8], 1)


def test_a_plan_is_continued() -> None:
    network = at_hand("plain")
    begun = none_removed(network.units)
    begun[[1, 7]] = True
    plan = selected(network, "units", 0.5, removed=begun, every=1)
    assert plan[[1, 7]].all()
    assert int(plan.sum()) == 6  # of 11
    assert torch.equal(selected(network, "units", 0.9, removed=begun), begun)


def test_a_charge_makes_dear_units_go_first() -> None:
    network = at_hand("plain")
    charge = charges("flops", 1e6, network, measure_costs(network))
    plan = selected(network, "units", 0.7, charge=charge, every=2)
    assert (plan.nonzero()[:, 0] >= 5).all()  # the second layer's maps cost more FLOPs than the first's


@pytest.mark.usefixtures("never_further")
@pytest.mark.parametrize("name", MODULES)
def test_the_procedure_takes_the_same_steps(name: str) -> None:
    settings = Settings(criterion="joint", step=2, target=0.5)
    steps = list(iterate(at_hand(name), SPLITS, settings))
    assert [int(step.removed.sum()) for step in steps[:3]] == [0, 2, 4]
    assert torch.equal(steps[-1].removed, selected(at_hand(name), "units", 0.5, every=2))


def test_after_fine_tuning_the_network_as_given_is_still_what_to_keep_to() -> None:
    settings = Settings(criterion="joint", step=3, target=0.5, updates=5, recipe=Recipe(learning_rate=0.05))
    given, first, last = iterate(at_hand("plain"), SPLITS, settings)
    left = (~first.removed).nonzero()[:, 0]
    found = order(linearise_all(first.network, IMAGES), evaluate(given.network, IMAGES).logits, Rules(3))
    assert sorted(left[found.units].tolist()) == (last.removed & ~first.removed).nonzero()[:, 0].tolist()


def test_places_are_a_ranking() -> None:
    network = at_hand("residual")
    places = ranking(network, IMAGES, evaluate(network, IMAGES).logits).places
    assert sorted(places.tolist()) == list(range(len(network.units)))


def test_the_default_step_is_a_share_of_the_units() -> None:
    assert default_step(at_hand("plain").units) == 1  # 4 % of 11


@pytest.mark.parametrize(
    ("measure", "target", "message"),
    [
        ("units", 0.01, "units=0.01 can't be reached"),
        ("units", 1.5, "is not between 0 and 1"),
        ("kilos", 0.5, "Unknown"),
    ],
)
def test_what_can_not_be_reached_is_refused_before_any_work(measure: str, target: float, message: str) -> None:
    def working(done: int, total: int, note: str = "") -> None:
        raise AssertionError("it has begun")

    with pytest.raises(BadInput, match=message):
        selected(at_hand("plain"), measure, target, report=working)


@pytest.mark.usefixtures("never_further")
def test_the_bar_never_goes_back_and_every_report_may_be_the_last() -> None:
    seen: list[tuple[int, int]] = []
    selected(at_hand("plain"), "units", 0.5, every=1, report=lambda done, total, note="": seen.append((done, total)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert {total for _, total in seen} == {1000}
    assert len({done for done, _ in seen}) > 3

    def stop(done: int, total: int, note: str = "") -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        selected(at_hand("plain"), "units", 0.5, every=1, report=stop)
