"""Transfer: a new head on old weights, epochs that learn, and a stop that changes nothing."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch
from networks_at_hand import Tensors, at_hand, images
from torch import nn

from explorer.core.errors import BadInput
from explorer.data import Preprocessing, Splits
from explorer.networks.architectures import pretrained
from explorer.networks.architectures.families import FAMILIES, build
from explorer.networks.architectures.fitting import transferred
from explorer.networks.checkpoints.reading import read_checkpoint
from explorer.training.finetune import OPTIMIZERS, Recipe, Training, minibatches, train
from explorer.training.schedules import SCHEDULES
from explorer.training.transfer import EPOCH_SEEDS, epochs, network_at_start, optimizer_state, restore_optimizer

RECIPE = Recipe(0.05, batch_size=8)


def both(data: Tensors) -> Splits:
    return {"finetune": data, "validation": data}


def separable(n: int = 48) -> Tensors:
    """Images of three classes that differ in brightness."""
    found = images((1, 8, 8), n=n)
    labels = torch.arange(n) % 3
    return Tensors(0.1 * found.x + labels[:, None, None, None], labels, 16)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("stop", [0, 1, 2])
def test_an_epoch_that_was_kept_goes_on_to_the_same_weights(optimizer: str, schedule: str, stop: int) -> None:
    network, data = at_hand("plain"), separable()
    recipe = Recipe(0.002 if optimizer == "adam" else 0.05, batch_size=8, optimizer=optimizer, schedule=schedule)
    whole = list(epochs(network, both(data), 3, Training(recipe, 5)))
    again = list(epochs(network, both(data), 3, Training(recipe, 5), start=whole[stop]))
    assert [epoch.number for epoch in whole] == [0, 1, 2, 3]
    assert [epoch.number for epoch in again] == [epoch.number for epoch in whole[stop + 1 :]]
    for a, b in zip(whole[stop + 1 :], again, strict=True):
        assert a.metrics == b.metrics and a.network.digest == b.network.digest


def test_epochs_learn_and_leave_the_network_as_it_was() -> None:
    network, data = at_hand("plain"), separable()
    before = network.module.state_dict()["0.weight"].clone()
    first, *_, last = epochs(network, both(data), 20, Training(RECIPE))
    assert last.metrics.loss < 0.5 * first.metrics.loss and last.metrics.accuracy > first.metrics.accuracy
    assert torch.equal(network.module.state_dict()["0.weight"], before)
    assert not last.network.module.training and not any(p.requires_grad for p in last.network.module.parameters())


def test_the_first_epoch_is_that_of_plain_training() -> None:
    network, data = at_hand("plain"), separable()
    _, first = epochs(network, both(data), 1, Training(RECIPE, 3))
    stream = islice(minibatches(data, 8, 3), 6)
    plain = train(network.module, stream, 6, Training(RECIPE, seed=3 + EPOCH_SEEDS))
    for name, value in plain.state_dict().items():
        assert torch.equal(value, first.network.module.state_dict()[name]), name


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_schedule_runs_over_all_epochs(schedule: str) -> None:
    network, data, recipe = at_hand("residual"), separable(), replace(RECIPE, schedule=schedule)
    *_, last = epochs(network, both(data), 2, Training(recipe, 3))
    plain = train(network.module, minibatches(data, 8, 3), 12, Training(recipe))  # without dropout the seed is idle
    for name, value in plain.state_dict().items():
        assert torch.equal(value, last.network.module.state_dict()[name]), name


def test_progress_is_told_over_all_epochs_and_can_cancel() -> None:
    network, data, told = at_hand("plain"), separable(), []
    list(epochs(network, both(data), 2, Training(RECIPE), lambda *now: told.append(now)))
    updates = [each for each in told if each[2].startswith("epoch")]
    shares = [done / total for done, total, _ in updates]
    assert shares == pytest.approx([update / 12 for update in range(1, 13)], abs=5e-4)
    assert updates[6][2].startswith("epoch 2 of 2; loss ")
    measuring = [each for each in told if each not in updates]
    assert [(done / total, note) for done, total, note in measuring if note.startswith("48 ")] == [
        (share, "48 of 48 images evaluated") for share in (0, 0.5, 1)
    ]

    def stop(done: int, total: int, note: str = "") -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(epochs(network, both(data), 2, Training(RECIPE), report=stop))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_what_an_optimizer_keeps_survives(optimizer: str) -> None:
    layer = nn.Linear(3, 2)
    first, second = (OPTIMIZERS[optimizer](layer, RECIPE) for _ in range(2))
    layer(torch.ones(1, 3)).sum().backward()
    first.step()
    restore_optimizer(second, optimizer_state(first))
    assert optimizer_state(first) and all(
        torch.equal(optimizer_state(second)[key], value) for key, value in optimizer_state(first).items()
    )


def test_a_new_head_keeps_all_other_weights(tmp_path: Path) -> None:
    path = tmp_path / "seven.pt"
    old = build("explorer:resnet20", 7, seed=1)
    torch.save(old.state_dict(), path)
    new, said = transferred("explorer:resnet20", read_checkpoint(path), 3, seed=2)
    assert said == "New, with random weights: linear.weight, linear.bias."
    fresh = build("explorer:resnet20", 3, seed=2).state_dict()
    for name, value in new.state_dict().items():
        expected = old.state_dict()[name] if value.shape == old.state_dict()[name].shape else fresh[name]
        assert torch.equal(value, expected), name
    assert sum(p.shape[0] == 3 for p in new.parameters()) == 2  # weight and bias of the head


def test_a_checkpoint_of_another_architecture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pt"
    torch.save(build("explorer:vgg_small").state_dict(), path)
    with pytest.raises(BadInput, match=r"other.pt does not fit explorer:resnet20: missing"):
        transferred("explorer:resnet20", read_checkpoint(path), 3)


def test_published_weights_are_taken_or_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = {"w": torch.ones(2)}
    torchvisions = FAMILIES["torchvision"]
    monkeypatch.setitem(FAMILIES, "torchvision", replace(torchvisions, published=lambda name: weights))
    found = pretrained.imagenet("torchvision:alexnet")
    assert found.weights is weights and found.name == "ImageNet weights of torchvision:alexnet"

    def offline(name: str) -> dict[str, torch.Tensor]:
        raise OSError("no route to host")

    monkeypatch.setitem(FAMILIES, "torchvision", replace(torchvisions, published=offline))
    with pytest.raises(BadInput, match=r"can't be downloaded \(no route to host\): give a checkpoint"):
        pretrained.imagenet("torchvision:alexnet")
    with pytest.raises(BadInput, match="Nobody publishes ImageNet weights of explorer:vgg_small"):
        pretrained.imagenet("explorer:vgg_small")


def test_a_network_may_start_from_nothing_in_grey_or_colour() -> None:
    grey, colour = Preprocessing((0.5,), (0.5,)), Preprocessing((0.5,) * 3, (0.5,) * 3)
    for arch, prepared, channels in (
        ("explorer:vgg_small", grey, 1),
        ("explorer:vgg_small", colour, 3),
        ("explorer:resnet20", colour, 3),
        ("torchvision:squeezenet1_1", Preprocessing((0.5,) * 3, (0.5,) * 3, 48, 48), 3),
    ):
        network = network_at_start(arch, None, prepared, ("cat", "dog"), seed=1)
        assert network.input_shape[0] == channels and network.classes == ("cat", "dog")
        assert network.digest == network_at_start(arch, None, prepared, ("cat", "dog"), seed=1).digest
    assert network_at_start("explorer:resnet20", None, grey, ("cat", "dog")).module.conv1.in_channels == 1
