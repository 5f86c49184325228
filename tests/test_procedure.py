"""The whole procedure on a small network: steps, targets, fine-tuning."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from networks_at_hand import SHAPE, at_hand, images

from explorer.criteria import CRITERIA
from explorer.errors import BadInput
from explorer.evaluate import evaluate
from explorer.finetune import Recipe
from explorer.procedure import Settings, Step, iterate

IMAGES = images(SHAPE, n=24)


def run(name: str = "plain", **settings) -> list[Step]:
    return list(iterate(at_hand(name), IMAGES, IMAGES, IMAGES, Settings(**settings)))


@pytest.mark.parametrize("criterion", CRITERIA)
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


def test_flops_penalty_spares_cheap_maps() -> None:
    dear = run(criterion="taylor", flops_penalty=1e6, target=0.7)[-1]
    gone = dear.removed.nonzero()[:, 0]
    assert (gone >= 5).all()  # all from the second layer: 2*16*46 FLOPs a map against 2*64*10 in the first
    assert len(gone) == 4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"criterion": "magic"}, "Unknown criterion 'magic'; known are taylor"),
        ({"scaling": "l3"}, "Unknown scaling 'l3'; known are l2, none"),
        ({"step": 0}, "A step of 0 units with 0 updates is not possible"),
        ({"target": 1.5}, "units=1.5 is not between 0 and 1"),
        ({"measure": "kilos"}, "Unknown target 'kilos'"),
        ({"target": 0.01}, "units=0.01 can't be reached"),
    ],
)
def test_bad_settings_are_named_before_any_work(settings: dict, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        run(**settings)
