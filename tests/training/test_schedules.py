"""Schedules against arithmetic, and that training follows them."""

from __future__ import annotations

from itertools import pairwise, repeat

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from explorer.training.finetune import OPTIMIZERS, Recipe, Span, Training, descend, train
from explorer.training.schedules import SCHEDULES, summary

BY_HAND = {
    "constant": [1, 1, 1, 1, 1, 1],
    "cosine": [1, (2 + 3**0.5) / 4, 3 / 4, 1 / 2, 1 / 4, (2 - 3**0.5) / 4],
    "linear": [1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6],
    "step": [1, 1, 0.1, 0.1, 0.01, 0.01],
}
X, Y = torch.tensor([[1.0, 2.0], [-1.0, 0.5]]), torch.tensor([0, 1])


def linear() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(2, 2, bias=False)


@pytest.mark.parametrize("name", SCHEDULES)
def test_six_updates_by_hand(name: str) -> None:
    assert [SCHEDULES[name](u, 6) for u in range(6)] == pytest.approx(BY_HAND[name])


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("updates", [1, 2, 7, 1000])
def test_a_rate_starts_whole_never_grows_and_never_ends(name: str, updates: int) -> None:
    factors = [SCHEDULES[name](u, updates) for u in range(updates)]
    assert factors[0] == 1 and factors[-1] > 0
    assert all(later <= earlier for earlier, later in pairwise(factors))


@pytest.mark.parametrize("name", SCHEDULES)
def test_training_takes_steps_of_these_sizes(name: str) -> None:
    weight = linear().weight.detach().clone()
    for factor in BY_HAND[name]:
        weight.requires_grad_()
        (slope,) = torch.autograd.grad(cross_entropy(X @ weight.T, Y), weight)
        weight = (weight - 0.5 * factor * slope).detach()
    tuned = train(linear(), repeat((X, Y)), 6, Training(Recipe(0.5, momentum=0, weight_decay=0, schedule=name)))
    torch.testing.assert_close(tuned.weight.data, weight)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_in_two_parts_a_schedule_is_that_of_the_whole(name: str, optimizer: str) -> None:
    recipe, halves = Recipe(0.05, optimizer=optimizer, schedule=name), linear()
    steps = OPTIMIZERS[optimizer](halves, recipe)
    for first in (0, 3):
        descend(halves, steps, repeat((X, Y)), Span(first, first + 3, 6), Training(recipe))
    assert torch.equal(halves.weight, train(linear(), repeat((X, Y)), 6, Training(recipe)).weight)


def test_every_schedule_says_what_it_does() -> None:
    assert all(summary(name).endswith((".", "2017.")) and "f(u) = " in summary(name) for name in SCHEDULES)
