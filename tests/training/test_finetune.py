from __future__ import annotations

from dataclasses import asdict
from itertools import islice, repeat

import pytest
import torch
from networks_at_hand import Tensors
from torch import Tensor, nn

from explorer.core.errors import BadInput
from explorer.training.finetune import OPTIMIZERS, Recipe, Training, minibatches, recipe_from, train

X = torch.tensor([[1.0, 2.0], [-1.0, 0.5]])
Y = torch.tensor([0, 1])


def linear() -> nn.Linear:
    layer = nn.Linear(2, 2, bias=False).requires_grad_(False).eval()
    layer.weight.data = torch.tensor([[0.3, -0.2], [0.1, 0.4]])
    return layer


def dropping() -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 2)).requires_grad_(False).eval()


def gradient(weight: Tensor) -> Tensor:
    """d/dW of the mean cross-entropy of softmax(X W^T): (p - onehot)^T X / N."""
    return (torch.softmax(X @ weight.T, dim=1) - torch.eye(2)[Y]).T @ X / len(X)


def test_two_steps_of_sgd_are_momentum_and_decay_by_hand() -> None:
    recipe = Recipe(learning_rate=0.1, momentum=0.9, weight_decay=0.01)
    weight, velocity = linear().weight.data.clone(), torch.zeros(2, 2)
    for _ in range(2):
        velocity = 0.9 * velocity + gradient(weight) + 0.01 * weight
        weight = weight - 0.1 * velocity
    torch.testing.assert_close(train(linear(), repeat((X, Y)), 2, Training(recipe)).weight.data, weight)


def test_first_step_of_adam_is_the_learning_rate_against_the_sign_of_the_gradient() -> None:
    before = linear().weight.data
    after = train(linear(), repeat((X, Y)), 1, Training(Recipe(0.01, weight_decay=0, optimizer="adam"))).weight.data
    torch.testing.assert_close(after, before - 0.01 * gradient(before).sign(), rtol=1e-5, atol=1e-6)


def test_defaults_are_those_of_the_paper() -> None:
    assert Recipe() == Recipe(1e-4, 0.9, 1e-4, 32, "sgd", "constant", 0.0)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_lowers_the_loss(optimizer: str) -> None:
    losses: list[float] = []
    train(linear(), repeat((X, Y)), 20, Training(Recipe(0.05, optimizer=optimizer), on_loss=losses.append))
    assert losses[-1] < losses[0]


def test_input_is_left_as_it_was_and_output_is_frozen_in_eval_mode() -> None:
    module = dropping()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    tuned = train(module, repeat((X, Y)), 3, Training(Recipe(0.1)))
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert not any(m.training for net in (module, tuned) for m in net.modules())
    assert not any(p.requires_grad or p.grad is not None for p in module.parameters())
    assert not any(p.requires_grad for p in tuned.parameters())
    assert not torch.equal(tuned[0].weight, module[0].weight)


def test_no_updates_give_an_equal_copy() -> None:
    module = linear()
    tuned = train(module, repeat((X, Y)), 0)
    assert tuned is not module
    assert torch.equal(tuned.weight, module.weight)


def test_the_seed_decides_the_weights() -> None:
    trainings = (Training(Recipe(0.1), seed) for seed in (1, 1, 2))
    first, again, other = (train(dropping(), repeat((X, Y)), 5, each)[0].weight for each in trainings)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_callers_random_numbers_are_left_alone() -> None:
    module = dropping()
    expected = torch.manual_seed(11).get_state()
    train(module, repeat((X, Y)), 2, Training(seed=5))
    assert torch.equal(torch.random.get_rng_state(), expected)


def test_dropout_is_active_during_the_updates_and_not_after() -> None:
    seen: list[int] = []

    class Spy(nn.Dropout):
        def forward(self, x: Tensor) -> Tensor:
            y = super().forward(x)
            seen.append(int((y == 0).sum()))
            return y

    module = nn.Sequential(nn.Linear(2, 2), Spy(0.5))
    x = torch.ones(64, 2)
    tuned = train(module, repeat((x, torch.zeros(64, dtype=torch.int64))), 1)
    tuned(x)
    assert seen[0] > 20
    assert seen[1] == 0


def test_batch_norm_statistics_move() -> None:
    module = nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 2))
    tuned = train(module, repeat((X, Y)), 1)
    torch.testing.assert_close(tuned[0].running_mean, 0.1 * X.mean(0))
    assert torch.equal(module[0].running_mean, torch.zeros(2))


def test_reports_every_update_and_a_raising_report_stops_the_work() -> None:
    notes: list[tuple[int, int, str]] = []
    train(linear(), repeat((X, Y)), 2, report=lambda *note: notes.append(note))
    p = torch.softmax(X @ linear().weight.data.T, dim=1)
    loss = -p[range(2), Y].log().mean().item()
    assert notes == [(1, 2, f"loss {loss:.3f}"), (2, 2, notes[1][2])]

    def cancel(done: int, total: int, note: str = "") -> None:
        if done == 2:
            raise KeyboardInterrupt

    drawn = iter([(X, Y)] * 5)
    module = linear()
    with pytest.raises(KeyboardInterrupt):
        train(module, drawn, 5, report=cancel)
    assert len(list(drawn)) == 3
    assert torch.equal(module.weight, linear().weight)


@pytest.mark.parametrize("updates", [1, 50])
def test_a_learning_rate_that_blows_up_is_bad_input(updates: int) -> None:
    deep = nn.Sequential(nn.Linear(2, 8), nn.Linear(8, 8), nn.Linear(8, 2))
    with pytest.raises(BadInput, match=r"learning rate 1e\+38 is too high for this network: .* at update \d+"):
        train(deep, repeat((X * 100, Y)), updates, Training(Recipe(1e38, momentum=0)))


def test_a_loss_that_is_not_finite_from_the_start_is_not_blamed_on_the_learning_rate() -> None:
    with pytest.raises(BadInput, match="loss is nan before the first update"):
        train(linear(), repeat((X * torch.nan, Y)), 2)


def test_negative_updates_are_bad_input() -> None:
    with pytest.raises(BadInput, match="The number of updates is -1: it must be at least 0"):
        train(linear(), repeat((X, Y)), -1)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("learning_rate", 0.0, "learning rate 0.0 must be above 0"),
        ("learning_rate", float("nan"), "learning rate nan must be above 0"),
        ("learning_rate", float("inf"), "learning rate inf must be above 0"),
        ("momentum", 1.0, "momentum 1.0 must be at least 0 and below 1"),
        ("weight_decay", -1.0, "weight decay -1.0 must be at least 0"),
        ("batch_size", 0, "batch size 0 must be at least 1"),
        ("optimizer", "lbfgs", "optimizer 'lbfgs' must be one of sgd, adam"),
        ("schedule", "magic", "schedule 'magic' must be one of constant, cosine, linear, step"),
        ("distillation", 1.01, "distillation 1.01 must be between 0 and 1"),
        ("distillation", -0.1, "distillation -0.1 must be between 0 and 1"),
        ("distillation", float("nan"), "distillation nan must be between 0 and 1"),
        ("temperature", 0.0, "temperature 0.0 must be above 0 and finite"),
        ("temperature", float("inf"), "temperature inf must be above 0 and finite"),
    ],
)
def test_a_recipe_outside_its_rules_is_bad_input(field: str, value: object, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        Recipe(**{field: value})  # type: ignore[arg-type]


def test_a_recipe_is_read_back_from_the_settings_of_a_run() -> None:
    recipe = Recipe(0.5, optimizer="adam", schedule="step", distillation=0.5, temperature=2.0)
    assert recipe_from(asdict(recipe) | {"epochs": 3, "updates": 3}) == recipe
    older = {"learning_rate": 0.5, "momentum": 0.9, "weight_decay": 0.0, "batch_size": 8, "optimizer": "sgd"}
    assert recipe_from(older) == Recipe(0.5, 0.9, 0.0, 8, "sgd")
    with pytest.raises(BadInput, match="settings are damaged: its recipe"):
        recipe_from(older | {"learning_rate": "fast"})
    with pytest.raises(BadInput, match="momentum 3 must be"):
        recipe_from(older | {"momentum": 3})


def test_what_watches_sees_every_minibatch_before_its_update() -> None:
    seen: list[tuple[Tensor, Tensor, Tensor]] = []
    recipe, drawn = Recipe(0.1), [(X * k, Y) for k in (1, 2, 3)]
    watching = Training(recipe, on_minibatch=lambda m, x, y: seen.append((m.weight.detach().clone(), x, y)))
    train(linear(), iter(drawn), 3, watching)
    for place, (weight, x, y) in enumerate(seen):
        assert torch.equal(weight, train(linear(), iter(drawn), place, Training(recipe)).weight)
        assert torch.equal(x, drawn[place][0]) and torch.equal(y, Y)
    assert len(seen) == 3


def numbered(images: int) -> Tensors:
    """Images in small batches whose one pixel is their number, and so is their label."""
    numbers = torch.arange(images)
    return Tensors(numbers.float().view(-1, 1, 1, 1), numbers, size=3)


def test_minibatches_hold_every_image_once_an_epoch_in_a_new_order() -> None:
    drawn = list(islice(minibatches(numbered(10), 4, seed=7), 5))
    assert all(torch.equal(x.flatten().long(), y) and x.shape == (4, 1, 1, 1) for x, y in drawn)
    order = torch.cat([y for _, y in drawn]).tolist()
    assert sorted(order[:10]) == sorted(order[10:]) == list(range(10))
    assert order[:10] != order[10:]


def test_minibatches_may_be_larger_than_the_data() -> None:
    _, y = next(minibatches(numbered(4), 10))
    assert sorted(y[:4].tolist()) == sorted(y[4:8].tolist()) == [0, 1, 2, 3]


def test_minibatches_start_where_an_earlier_run_stopped_and_depend_on_the_seed() -> None:
    whole = [y.tolist() for _, y in islice(minibatches(numbered(10), 4, seed=7), 6)]
    rest = [y.tolist() for _, y in islice(minibatches(numbered(10), 4, seed=7, start=3), 3)]
    other = [y.tolist() for _, y in islice(minibatches(numbered(10), 4, seed=8), 6)]
    assert rest == whole[3:]
    assert other != whole
