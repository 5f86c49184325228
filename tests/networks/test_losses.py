"""Losses: the formulas of a row, and that all work takes the loss that the network carries."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from modules import SHAPE
from networks_at_hand import at_hand, images
from torch import Tensor
from torch.nn import functional as F

import explorer
from explorer.evaluation.evaluate import evaluate
from explorer.networks import losses
from explorer.networks.losses import CROSS_ENTROPY, Loss
from explorer.networks.network import Network
from explorer.scoring.detail.consequence import effects_overall
from explorer.scoring.linearise import linear_change
from explorer.scoring.observe import observe
from explorer.scoring.oracle.incremental import Incremental
from explorer.scoring.oracle.reference import ReferenceOracle
from explorer.scoring.predict import linearise_all, predict
from explorer.training.finetune import Recipe, Training, train

SMOOTHING = 0.3  # of the labels: a loss with the Hessian of cross-entropy, and other values and slopes


def _smoothed_change(logits: Tensor, labels: Tensor, followed: Tensor, shifts: Tensor) -> Tensor:
    plain = CROSS_ENTROPY.change(logits, labels, followed, shifts)
    own = torch.where((followed == labels[:, None])[:, :, None], shifts, 0.0).sum(1)
    return plain + SMOOTHING * (shifts.sum(1) / logits.shape[1] - own)


SMOOTHED = Loss(
    "smoothed",
    "nats",
    partial(F.cross_entropy, label_smoothing=SMOOTHING),
    CROSS_ENTROPY.probabilities,
    _smoothed_change,
)
LOSSES = pytest.mark.parametrize("loss", [CROSS_ENTROPY, SMOOTHED], ids=lambda loss: loss.name)


def judged(loss: Loss, name: str = "residual") -> Network:
    return replace(at_hand(name), loss=loss)


@LOSSES
def test_the_change_is_the_difference_of_two_losses(loss: Loss) -> None:
    draw = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(6, 5, generator=draw).double() * 3, torch.tensor([0, 1, 2, 3, 4, 4])
    followed = torch.stack([torch.randperm(5, generator=draw)[:3] for _ in labels])
    shifts = torch.randn(6, 3, 4, generator=draw).double()
    found = loss.change(logits, labels, followed, shifts)
    for k in range(4):
        moved = logits.scatter_add(1, followed, -shifts[:, :, k])
        torch.testing.assert_close(found[:, k], loss.of_images(moved, labels) - loss.of_images(logits, labels))


@LOSSES
def test_probabilities_give_the_hessian(loss: Loss) -> None:
    logits, label = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64), torch.tensor([1])
    hessian = torch.autograd.functional.hessian(lambda row: loss.of_images(row[None], label)[0], logits)
    (p,) = loss.probabilities(logits[None])
    torch.testing.assert_close(hessian, torch.diag(p) - torch.outer(p, p))


@LOSSES
def test_mean_and_sum_are_those_of_the_images(loss: Loss) -> None:
    logits, labels = torch.randn(7, 3).double(), torch.tensor([0, 1, 2, 0, 1, 2, 0])
    torch.testing.assert_close(loss.mean(logits, labels), loss.of_images(logits, labels).mean())
    torch.testing.assert_close(loss.sum(logits, labels), loss.of_images(logits, labels).sum())


def test_a_network_is_judged_by_its_own_loss_wherever_it_is_measured() -> None:
    network, batches = judged(SMOOTHED), images(SHAPE, n=6)
    outcome = evaluate(network, batches)
    of_images = SMOOTHED.of_images(outcome.logits.double(), outcome.labels)
    assert outcome.loss == pytest.approx(float(of_images.mean()))
    closed = torch.arange(len(network.units)) == 2
    after = evaluate(network, batches, closed)
    effect = effects_overall(outcome, after).loss
    exact, fast = (Way(network).changes(batches.x, batches.y) for Way in (ReferenceOracle, Incremental))
    torch.testing.assert_close(exact[:, 2].mean()[None], effect, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(fast, exact, rtol=1e-3, atol=1e-5)
    linear = linearise_all(network, batches)
    predicted = predict(linear, closed)
    torch.testing.assert_close(linear_change(linear)[:, 2], predicted.losses - of_images, rtol=1e-4, atol=1e-6)
    slope = observe(network, batches).gradient  # dC_n/dg, by the chain rule through the logits
    dlogits = torch.autograd.functional.jacobian(lambda z: SMOOTHED.sum(z, outcome.labels), linear.logits)
    torch.testing.assert_close(slope, torch.einsum("nc,ncu->nu", dlogits, linear.slopes.double()), rtol=1e-4, atol=1e-6)


def test_training_goes_down_the_loss_that_it_is_given() -> None:
    module, x, y = torch.nn.Linear(2, 3), torch.randn(4, 2), torch.tensor([0, 1, 2, 0])
    (slope,) = torch.autograd.grad(SMOOTHED.mean(module(x), y), module.weight)
    recipe, told = Recipe(0.1, momentum=0, weight_decay=0), []
    tuned = train(module, iter([(x, y)]), 1, Training(recipe, loss=SMOOTHED, on_loss=told.append))
    assert told == [pytest.approx(SMOOTHED.mean(module(x), y).item())]
    torch.testing.assert_close(tuned.weight.data, module.weight.data - 0.1 * slope)


def test_cross_entropy_stands_in_one_file() -> None:
    package = Path(explorer.__file__).parent
    named = [path for path in package.rglob("*.py") if "cross_entropy(" in path.read_text(encoding="utf-8")]
    assert [path for path in named if path != Path(losses.__file__)] == []
