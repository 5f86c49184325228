"""Pruning by the weights alone: the same units go as with images, and what only images tell is not there."""

from __future__ import annotations

import pytest
import torch
from networks_at_hand import SHAPE, at_hand, images

from explorer.core.errors import BadInput
from explorer.evaluation.metrics import Metrics
from explorer.pruning.goals import spent
from explorer.pruning.procedure import iterate
from explorer.pruning.selectors import JOINT, ORACLE, SELECTORS
from explorer.pruning.settings import Settings

SPLITS = dict.fromkeys(("calibration", "validation"), images(SHAPE, n=24))
OF_WEIGHTS = {"weight", "l1", "fpgm", "bn_scale", "random"}


def test_what_reads_weights_alone_is_named_by_the_table() -> None:
    assert {name for name, selector in SELECTORS.items() if selector.of_weights} == OF_WEIGHTS
    assert not SELECTORS[JOINT].of_weights and not SELECTORS[ORACLE].of_weights


@pytest.mark.parametrize("criterion", sorted(OF_WEIGHTS - {"bn_scale"}))
def test_the_same_units_go_as_with_images(criterion: str) -> None:
    settings = Settings(criterion=criterion, step=2, target=0.5)
    blind, seeing = (list(iterate(at_hand("plain"), splits, settings)) for splits in ({}, SPLITS))
    assert len(blind) == len(seeing) == 4
    for without, with_images in zip(blind, seeing, strict=True):
        assert torch.equal(without.removed, with_images.removed)
        found, expected = without.metrics, with_images.metrics
        assert (found.loss, found.accuracy, found.images) == (None, None, 0) and expected.images == 24
        assert (found.units, found.parameters, found.flops) == (expected.units, expected.parameters, expected.flops)


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"criterion": "taylor"}, "criterion taylor"),
        ({"criterion": "joint"}, "criterion joint"),
        ({"criterion": "l1", "measure": "accuracy", "target": 0.9}, "until accuracy=0.9"),
        ({"criterion": "l1", "measure": "loss", "target": 0.1}, "until loss=0.1"),
        ({"criterion": "l1", "updates": 3}, "updates 3"),
        ({"criterion": "l1", "least_accuracy": 0.5}, "least-accuracy 0.5"),
    ],
)
def test_what_takes_images_is_refused_by_its_name(asked: dict[str, object], named: str) -> None:
    settings = Settings(**asked)  # type: ignore[arg-type]
    assert settings.reads_images == named
    with pytest.raises(BadInput, match=f"There are no images, and {named} takes some"):
        next(iterate(at_hand("plain"), {}, settings))


def test_a_budget_is_never_held_by_what_was_not_measured() -> None:
    unmeasured = Metrics(None, None, 0, units=5, parameters=10, flops=20)
    assert spent("flops", 0.5, unmeasured) is None
    for name in ("loss", "accuracy"):
        with pytest.raises(BadInput, match=f"A budget of {name} takes images"):
            spent(name, 0.5, unmeasured)
    with pytest.raises(BadInput, match="there were no images"):
        _ = unmeasured.quality
