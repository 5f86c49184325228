"""Predictions against the gated network itself, where they are exact, and against arithmetic."""

from __future__ import annotations

import pytest
import torch
from networks_at_hand import MODULES, SHAPE, at_hand, images, network
from torch import nn

from explorer.evaluation.evaluate import evaluate
from explorer.networks.gates import open_gates
from explorer.networks.units import none_removed
from explorer.scoring.linearise import Linearisation
from explorer.scoring.predict import joined_linearisations, linearise_all, predict

IMAGES = images(SHAPE, n=10, size=4)


def linear() -> nn.Module:
    """No nonlinearity behind the gates: predictions are exact for any set of its second layer's units."""
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(96, 3))


def test_without_a_nonlinearity_behind_them_any_set_of_units_is_predicted_exactly() -> None:
    torch.manual_seed(0)
    subject = network(linear(), SHAPE)
    found = linearise_all(subject, IMAGES)
    removed = none_removed(subject.units)
    removed[[4, 6, 7, 9]] = True  # all of the last layer
    predicted, measured = predict(found, removed), evaluate(subject, IMAGES, removed)
    torch.testing.assert_close(predicted.logits.float(), measured.logits, rtol=1e-5, atol=1e-5)
    assert predicted.loss == pytest.approx(measured.loss, abs=1e-6)
    assert predicted.accuracy == measured.accuracy


@pytest.mark.parametrize("name", MODULES)
def test_nothing_more_removed_is_what_was_measured(name: str) -> None:
    subject = at_hand(name)
    removed = none_removed(subject.units)
    removed[[0, 3]] = True
    found = linearise_all(subject, IMAGES, open_gates(removed))
    predicted, measured = predict(found, none_removed(subject.units)), evaluate(subject, IMAGES, removed)
    torch.testing.assert_close(predicted.logits.float(), measured.logits, rtol=1e-5, atol=1e-5)
    assert torch.equal(predicted.labels, measured.labels)


@pytest.mark.parametrize("name", MODULES)
def test_a_set_moves_the_logits_by_the_sum_of_its_slopes(name: str) -> None:
    subject = at_hand(name)
    found = linearise_all(subject, IMAGES)
    removed = torch.rand(len(subject.units), generator=torch.Generator().manual_seed(2)) < 0.5
    expected = found.logits - sum(found.slopes[:, :, u].double() for u in removed.nonzero()[:, 0])
    torch.testing.assert_close(predict(found, removed).logits, expected, rtol=0, atol=1e-5)


def test_logits_whose_slopes_are_not_known_stay() -> None:
    units = at_hand("plain").units
    slopes = torch.zeros(1, 2, len(units))
    slopes[0, :, 5] = torch.tensor([1.0, 2.0])
    logits = torch.arange(4.0, dtype=torch.float64)[None]
    found = Linearisation(units, logits, torch.tensor([3]), torch.tensor([[3, 1]]), slopes)
    removed = none_removed(units)
    removed[5] = True
    assert predict(found, removed).logits.tolist() == [[0.0, -1.0, 2.0, 2.0]]


def test_batches_are_joined_in_order() -> None:
    subject = at_hand("fire")
    whole = linearise_all(subject, images(SHAPE, n=10, size=64))
    parts = linearise_all(subject, IMAGES)
    assert joined_linearisations([whole]).units is subject.units
    for name in ("logits", "labels", "classes", "slopes"):
        torch.testing.assert_close(getattr(parts, name), getattr(whole, name), rtol=1e-4, atol=1e-5)
