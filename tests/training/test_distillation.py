"""Distillation against Hinton's formula written out in numpy, and what it leaves alone."""

from __future__ import annotations

from itertools import repeat

import numpy as np
import pytest
import torch
from networks_at_hand import SHAPE, at_hand, images
from torch import nn
from torch.nn.functional import cross_entropy

from explorer.core.errors import BadInput
from explorer.networks.losses import CROSS_ENTROPY
from explorer.training.distillation import distilled, objective
from explorer.training.finetune import OPTIMIZERS, Recipe, Training, train

DRAW = np.random.default_rng(5)
SAID, LOGITS, LABELS = 3 * DRAW.normal(size=(6, 4)), 3 * DRAW.normal(size=(6, 4)), DRAW.integers(4, size=6)


def softmax(values: np.ndarray) -> np.ndarray:
    powers = np.exp(values)
    return powers / powers.sum(1, keepdims=True)


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    found = images(SHAPE, n=8)
    return found.x, found.y


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_loss_and_gradient_by_formula(weight: float, temperature: float) -> None:
    logits = torch.tensor(LOGITS, requires_grad=True)
    loss = distilled(CROSS_ENTROPY, logits, torch.tensor(SAID), torch.tensor(LABELS), weight, temperature)
    p, soft, target = softmax(LOGITS), softmax(LOGITS / temperature), softmax(SAID / temperature)
    hard = -np.log(p[np.arange(6), LABELS]).mean()
    divergence = (target * np.log(target / soft)).sum(1).mean()
    np.testing.assert_allclose(loss.item(), (1 - weight) * hard + weight * temperature**2 * divergence, rtol=1e-12)
    slope = ((1 - weight) * (p - np.eye(4)[LABELS]) + weight * temperature * (soft - target)) / 6
    np.testing.assert_allclose(torch.autograd.grad(loss, logits)[0], slope, rtol=1e-9, atol=1e-14)


def test_agreeing_with_the_teacher_costs_nothing() -> None:
    said = torch.tensor(SAID)
    assert distilled(CROSS_ENTROPY, said, said, torch.tensor(LABELS), 1.0, 4.0).item() == pytest.approx(0, abs=1e-14)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_without_distillation_training_is_plain_descent_bit_for_bit(optimizer: str) -> None:
    network, (x, y) = at_hand("residual"), batch()
    recipe = Recipe(0.01, optimizer=optimizer, distillation=0.0)
    plain = at_hand("residual").module.requires_grad_(True).train()
    steps = {
        "sgd": lambda: torch.optim.SGD(plain.parameters(), 0.01, momentum=0.9, weight_decay=1e-4),
        "adam": lambda: torch.optim.Adam(plain.parameters(), 0.01, betas=(0.9, 0.999), weight_decay=1e-4),
    }[optimizer]()
    for _ in range(4):
        steps.zero_grad()
        cross_entropy(plain(x), y).backward()
        steps.step()
    tuned = train(network.module, repeat((x, y)), 4, Training(recipe, teacher=at_hand("plain").module))
    for name, value in tuned.state_dict().items():
        assert torch.equal(value, plain.state_dict()[name]), name


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_student_comes_to_answer_like_its_teacher(optimizer: str) -> None:
    x, y = batch()
    teacher = at_hand("plain_batchnorm").module
    teacher[-1].weight.mul_(3)
    recipe = Recipe(0.02, weight_decay=0, optimizer=optimizer, distillation=1.0)
    student = train(at_hand("residual").module, repeat((x, y)), 60, Training(recipe, teacher=teacher))
    before, after = (
        distilled(CROSS_ENTROPY, module(x), teacher(x), y, 1.0, 1.0).item()
        for module in (at_hand("residual").module, student)
    )
    assert after < 0.2 * before


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("training", [False, True])
def test_the_teacher_is_never_changed_and_answers_in_eval_mode(optimizer: str, training: bool) -> None:
    x, y = batch()
    teacher = at_hand("plain_batchnorm").module.train(training)
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    recipe = Recipe(0.05, optimizer=optimizer, distillation=0.5)
    student = train(at_hand("plain").module, repeat((x, y)), 3, Training(recipe, seed=1, teacher=teacher))
    assert all(torch.equal(value, before[name]) for name, value in teacher.state_dict().items())
    assert all(module.training == training for module in teacher.modules())
    assert not any(p.requires_grad or p.grad is not None for p in teacher.parameters())
    same = train(at_hand("plain").module, repeat((x, y)), 3, Training(recipe, seed=1, teacher=teacher.eval()))
    assert all(torch.equal(a, b) for a, b in zip(student.parameters(), same.parameters(), strict=True))


def test_the_loss_told_is_the_one_descended() -> None:
    x, y = batch()
    student, teacher, told = at_hand("plain_batchnorm").module, at_hand("residual").module, []
    recipe = Recipe(distillation=0.25, temperature=2.0)
    train(student, repeat((x, y)), 1, Training(recipe, teacher=teacher), report=lambda *note: told.append(note))
    expected = distilled(CROSS_ENTROPY, student.train()(x), teacher(x), y, 0.25, 2.0)
    assert told == [(1, 1, f"loss {expected:.3f}")]


def test_a_teacher_that_is_missing_or_answers_otherwise_is_bad_input() -> None:
    module, recipe = at_hand("plain").module, Recipe(distillation=0.5)
    with pytest.raises(BadInput, match=r"distillation 0\.5 needs a teacher"):
        train(module, repeat(batch()), 1, Training(recipe))
    other = nn.Sequential(nn.Flatten(), nn.Linear(64, 5))
    with pytest.raises(BadInput, match=r"the teacher has 5 outputs, the network 3: they must agree"):
        train(module, repeat(batch()), 1, Training(recipe, teacher=other))


def test_a_teacher_is_not_asked_for_where_it_has_no_share() -> None:
    logits, y = torch.tensor(LOGITS), torch.tensor(LABELS)
    assert torch.equal(objective(CROSS_ENTROPY, None, 0.0, 4.0)(torch.zeros(6), logits, y), cross_entropy(logits, y))
