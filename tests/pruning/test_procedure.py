"""The whole procedure on a small network: steps, targets, fine-tuning."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from networks_at_hand import SHAPE, at_hand, images
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.core.progress import Report
from explorer.evaluation.evaluate import evaluate
from explorer.networks.costs import Costs
from explorer.networks.network import Network
from explorer.networks.surgery import prune
from explorer.pruning.procedure import SEEDS, PruningStep, iterate
from explorer.pruning.selectors import SELECTORS
from explorer.pruning.settings import Settings
from explorer.runs.store import read_saliency, read_weights, write_weights
from explorer.scoring.criteria import CRITERIA, applicable
from explorer.scoring.evidence import gather
from explorer.scoring.ranking import PRICES, SCALINGS, AtPlan
from explorer.training.finetune import Recipe, Training, minibatches
from explorer.training.update_evidence import train_observed

IMAGES = images(SHAPE, n=24)
SPLITS = dict.fromkeys(("calibration", "finetune", "validation"), IMAGES)


OF_UPDATES = Settings(step=2, updates=3, recipe=Recipe(0.05, batch_size=10), seed=3, evidence="updates")


def run(name: str = "plain", **settings) -> list[PruningStep]:
    return list(iterate(at_hand(name), SPLITS, Settings(**settings)))


@pytest.mark.parametrize("criterion", [*applicable(at_hand("plain")), "oracle"])
def test_every_criterion_reaches_the_target_and_no_further(criterion: str) -> None:
    steps = run(criterion=criterion, step=3, target=0.5)
    assert [int(s.removed.sum()) for s in steps] == [0, 3, 6]  # 5 of 11 units left is the first at most half
    assert len(steps[-1].network.units) == steps[-1].metrics.units == 5


def test_metrics_are_those_of_the_pruned_network() -> None:
    for step in run(target=0.5, measure="flops"):
        outcome = evaluate(step.network, IMAGES)
        assert step.metrics.loss == outcome.loss
        assert step.metrics.accuracy == outcome.accuracy
        assert step.metrics.parameters == sum(p.numel() for p in step.network.module.parameters())


def test_the_least_important_unit_of_the_network_so_far_goes_next() -> None:
    steps = run(criterion="weight", scaling="none", target=0.6)
    for before, after in pairwise(steps):
        kernels = torch.cat([before.network.module[i].weight.square().flatten(1).mean(1) for i in (0, 3)])
        units = before.network.units
        least = units.labels[int(kernels.argmin())]
        assert set(units.labels) - set(after.network.units.labels) == {least}


@pytest.mark.parametrize("scaling", SCALINGS)
def test_what_can_not_be_scaled_is_ranked_the_same_under_every_scaling(scaling: str) -> None:
    assert {name for name, selector in SELECTORS.items() if not selector.scalable} == {"random", "joint", "oracle"}
    for criterion in ("random", "oracle"):
        plain, asked = (run(criterion=criterion, scaling=way, target=0.6)[-1].removed for way in ("none", scaling))
        assert plain.equal(asked)


def test_the_oracle_takes_the_unit_whose_absence_changes_the_loss_of_the_network_so_far_least() -> None:
    for before, after in pairwise(run(criterion="oracle", target=0.6)):
        network, units = before.network, before.network.units
        alone = torch.eye(len(units), dtype=torch.bool)
        losses = torch.tensor([evaluate(prune(network, plan), IMAGES).loss for plan in alone])
        least = units.labels[int((losses - before.metrics.loss).abs().argmin())]
        assert set(units.labels) - set(after.network.units.labels) == {least}


def test_updates_between_steps_change_weights_and_lower_the_loss() -> None:
    still = run(target=0.5, step=2)[-1]
    tuned = run(target=0.5, step=2, updates=40, recipe=Recipe(learning_rate=0.05))[-1]
    assert tuned.metrics.loss < still.metrics.loss
    assert tuned.network.digest != still.network.digest
    assert not tuned.network.module.training


def test_the_same_seed_gives_the_same_result() -> None:
    first, second = (run(target=0.5, step=3, updates=5)[-1] for _ in range(2))
    assert torch.equal(first.removed, second.removed)
    assert first.metrics == second.metrics


def _reloaded(name: str, step: PruningStep, folder: Path) -> PruningStep:
    """The step as a later process has it: the original pruned, and the weights from their file."""
    pruned = prune(at_hand(name), step.removed)
    return replace(step, network=read_weights(folder / write_weights(folder, step.network), pruned))


@pytest.mark.parametrize("name", ["plain", "plain_batchnorm", "residual"])
@pytest.mark.parametrize("updates", [0, 3])
def test_stopped_after_any_step_it_ends_bit_for_bit_as_without_the_stop(
    name: str, updates: int, tmp_path: Path
) -> None:
    settings = Settings(target=0.5, step=2, updates=updates, recipe=Recipe(learning_rate=0.05, batch_size=10), seed=3)
    whole = list(iterate(at_hand(name), SPLITS, settings))
    assert [step.number for step in whole] == list(range(len(whole)))
    for stop in whole:
        start = _reloaded(name, stop, tmp_path)
        rest = list(iterate(at_hand(name), SPLITS, settings, start=start))
        assert len(rest) == len(whole) - 1 - stop.number
        for found, expected in zip(rest, whole[stop.number + 1 :], strict=True):
            assert_same(found, expected)


@pytest.mark.parametrize("name", ["plain", "residual"])
@pytest.mark.parametrize("criterion", ["taylor", "activation_mean", "weight"])
def test_rankings_from_the_updates_are_those_of_their_own_minibatches(name: str, criterion: str) -> None:
    settings = replace(OF_UPDATES, criterion=criterion)
    first, second, *_ = iterate(at_hand(name), SPLITS, settings)
    _, calibrated, *_ = iterate(at_hand(name), SPLITS, replace(settings, evidence="calibration"))
    assert second.metrics == calibrated.metrics and calibrated.saliency is None  # the first is from calibration images
    smaller = prune(at_hand(name), second.removed)
    stream = minibatches(IMAGES, settings.recipe.batch_size, settings.seed)
    tuned, seen = train_observed(smaller, stream, settings.updates, Training(settings.recipe, settings.seed * SEEDS))
    needs = CRITERIA[criterion].needs
    expected = CRITERIA[criterion].saliency(gather(tuned, IMAGES, needs, seed=settings.seed, seen=seen))
    assert first.saliency is None and torch.equal(second.saliency, expected)


def test_what_the_updates_said_decides_what_goes_next() -> None:
    _, second, third, *_ = iterate(at_hand("plain"), SPLITS, replace(OF_UPDATES, scaling="none", step=1))
    least = second.network.units.labels[int(second.saliency.argmin())]
    assert set(second.network.units.labels) - set(third.network.units.labels) == {least}


def test_rankings_from_updates_go_on_bit_for_bit_after_a_stop(tmp_path: Path) -> None:
    whole = list(iterate(at_hand("plain"), SPLITS, OF_UPDATES))
    for stop in whole[1:]:
        path = tmp_path / write_weights(tmp_path, stop.network, stop.saliency)
        network = read_weights(path, prune(at_hand("plain"), stop.removed))
        start = replace(stop, network=network, saliency=read_saliency(path))
        rest = list(iterate(at_hand("plain"), SPLITS, OF_UPDATES, start=start))
        for found, expected in zip(rest, whole[stop.number + 1 :], strict=True):
            assert_same(found, expected)
            assert torch.equal(found.saliency, expected.saliency)


def test_every_update_is_heard_with_its_loss() -> None:
    heard: list[float] = []
    steps = list(iterate(at_hand("plain"), SPLITS, OF_UPDATES, on_loss=heard.append))
    assert len(heard) == steps[-1].updates and all(loss > 0 for loss in heard)


def assert_same(found: PruningStep, expected: PruningStep) -> None:
    assert (found.number, found.metrics, found.network.digest) == (
        expected.number,
        expected.metrics,
        expected.network.digest,
    )
    assert torch.equal(found.removed, expected.removed)
    weights = found.network.module.state_dict()
    for key, value in expected.network.module.state_dict().items():
        assert torch.equal(weights[key], value)


def test_the_bar_starts_before_the_first_evaluation_and_never_goes_back() -> None:
    seen: list[tuple[int, int, str]] = []
    settings = Settings(target=0.5, step=3, updates=2)
    for _ in iterate(at_hand("plain"), SPLITS, settings, lambda *now: seen.append(now)):
        seen.append((seen[-1][0], 1000, "yielded"))
    assert seen[0] == (0, 1000, "0 units removed, 100.0% of the units left")
    assert seen[-1] == (1000, 1000, "yielded")
    assert {total for _, total, _ in seen} == {1000}
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)
    assert len({done for done, _, _ in seen}) == 1 + 2 * (2 + 2)  # two updates, and evaluated before and after
    words = "images observed", "images evaluated", "loss", "3 units removed, 72.7% of the units left"
    assert all(any(word in note for _, _, note in seen) for word in words)


@pytest.mark.parametrize("price", PRICES)
def test_any_price_can_be_charged(price: str) -> None:
    steps = run(criterion="weight", price=price, penalty=1.0, target=0.7, step=2)
    assert steps[-1].metrics.units == 7


def test_a_price_is_asked_for_once_and_at_the_plan_before_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    networks: list[Network] = []
    plans: list[Tensor] = []

    def spied(network: Network, costs: Costs, report: Report) -> AtPlan:
        networks.append(network)
        return lambda removed: plans.append(removed) or torch.zeros(len(removed))

    monkeypatch.setitem(PRICES, "flops", replace(PRICES["flops"], of=spied))
    steps = run(criterion="weight", penalty=1.0, step=2)
    assert [n.digest for n in networks] == [at_hand("plain").digest]
    assert len(plans) == len(steps) - 1
    assert all(torch.equal(plan, step.removed) for plan, step in zip(plans, steps[:-1], strict=True))


def test_flops_penalty_spares_cheap_maps() -> None:
    dear = run(criterion="taylor", penalty=1e6, target=0.7)[-1]
    gone = dear.removed.nonzero()[:, 0]
    assert (gone >= 5).all()  # all from the second layer: 2*16*46 FLOPs a map against 2*64*10 in the first
    assert len(gone) == 4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"criterion": "magic"}, "Unknown criterion 'magic'; known are taylor"),
        ({"scaling": "l3"}, "Unknown scaling 'l3'; known are none, l1, l2, max"),
        ({"price": "kilos"}, "Unknown price 'kilos'; known are flops"),
        ({"penalty": -1.0}, "The penalty -1 of flops must be a finite number"),
        ({"step": 0}, "A step of 0 units with 0 updates is not possible"),
        ({"target": 1.5}, "units=1.5 is not between 0 and 1"),
        ({"measure": "kilos"}, "Unknown target 'kilos'"),
        ({"evidence": "rumour"}, "Unknown evidence 'rumour'; known are calibration, updates"),
        ({"evidence": "updates"}, "there are no updates"),
        ({"evidence": "updates", "updates": 1, "criterion": "obd"}, "OBD.* can't be computed from the updates' own"),
        ({"evidence": "updates", "updates": 1, "criterion": "joint"}, "Joint linearised can't be computed from"),
        ({"target": 0.01}, "units=0.01 can't be reached"),
    ],
)
def test_bad_settings_are_named_before_any_work(settings: dict, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        run(**settings)
