"""Updates as evidence: the weights of plain training, and what was seen on the way is what `observe` sees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from itertools import islice

import pytest
import torch
from networks_at_hand import MODULES, SHAPE, UNUSUAL, Tensors, at_hand, images, shape_of
from networks_at_hand import network as network_of
from torch import Tensor, nn

from explorer.core.errors import BadInput
from explorer.networks.network import Network, with_weights_of
from explorer.pruning.selectors import SELECTORS
from explorer.scoring.criteria import CRITERIA
from explorer.scoring.evidence import gather
from explorer.scoring.observe import Observation, joined_observations, observe
from explorer.training.finetune import OPTIMIZERS, Minibatch, Recipe, Training, minibatches, train
from explorer.training.update_evidence import train_observed

RECIPE = Recipe(0.02, batch_size=8)


def stream(name: str = "plain") -> Iterator[Minibatch]:
    return minibatches(images(shape_of(name), n=20), 8, seed=2)


def assert_same(a: Observation, b: Observation) -> None:
    for field in fields(Observation):
        if field.name != "units":
            assert torch.equal(getattr(a, field.name), getattr(b, field.name)), field.name


def assert_same_weights(a: nn.Module, b: nn.Module) -> None:
    assert a.state_dict().keys() == b.state_dict().keys()
    assert all(torch.equal(value, b.state_dict()[name]) for name, value in a.state_dict().items())


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("name", [*MODULES, *UNUSUAL])
def test_watched_or_not_the_weights_are_the_same_bit_for_bit(name: str, optimizer: str) -> None:
    network, recipe = at_hand(name), Recipe(0.02, optimizer=optimizer, schedule="cosine")
    tuned, seen = train_observed(network, stream(name), 3, Training(recipe, seed=4))
    assert_same_weights(tuned.module, train(network.module, stream(name), 3, Training(recipe, seed=4)))
    assert not tuned.module.training and not any(p.requires_grad for p in tuned.module.parameters())
    assert_same_weights(network.module, at_hand(name).module)
    assert not any(getattr(seen, field.name).requires_grad for field in fields(Observation) if field.name != "units")
    assert len(seen) == 3 * 8 and seen.labels.tolist() == [int(y) for _, ys in islice(stream(name), 3) for y in ys]


class Noisy(nn.Module):
    """Draws random numbers in eval mode as well, and keeps what it computes in an attribute of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.head = nn.Conv2d(1, 4, 3), nn.Linear(4, 3)
        self.register_buffer("moving", torch.zeros(4))

    def forward(self, x: Tensor) -> Tensor:
        x = self.convolution(x).relu().mean((2, 3))
        if self.training:
            self.moving = 0.9 * self.moving + x.detach().mean(0)  # another tensor each time
        return self.head((x - self.moving) * torch.rand(1))


def test_observing_takes_no_random_numbers_from_training_and_sees_buffers_as_they_are() -> None:
    torch.manual_seed(0)
    network = network_of(Noisy(), SHAPE)
    tuned, seen = train_observed(network, stream(), 3, Training(RECIPE, seed=4))
    assert_same_weights(tuned.module, train(network.module, stream(), 3, Training(RECIPE, seed=4)))
    halfway = with_weights_of(network, train(network.module, stream(), 2, Training(RECIPE, seed=4)))
    x, y = next(islice(stream(), 2, None))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        expected = observe(halfway, Tensors(x, y))
    assert torch.equal(seen.gradient[16:], expected.gradient)


@pytest.mark.parametrize("name", [*MODULES, *UNUSUAL])
def test_each_minibatch_is_observed_with_the_weights_that_it_found(name: str) -> None:
    network = at_hand(name)
    _, seen = train_observed(network, stream(name), 4, Training(RECIPE, seed=4))
    parts = []
    for place, (x, y) in enumerate(islice(stream(name), 4)):
        then = with_weights_of(network, train(network.module, stream(name), place, Training(RECIPE, seed=4)))
        parts.append(observe(then, Tensors(x, y)))
    assert_same(seen, joined_observations(parts))
    assert not torch.equal(seen.gradient[8:16], observe(network, Tensors(*next(islice(stream(name), 1, 2)))).gradient)


@pytest.mark.parametrize("name", ["plain", "fire", "squeeze_excite"])  # without batch-norm, which moves anyway
def test_of_weights_that_stand_still_it_is_one_observation_of_all_images(name: str) -> None:
    network = at_hand(name)
    _, seen = train_observed(network, stream(name), 3, Training(Recipe(1e-30, batch_size=8)))
    x, y = (torch.cat(parts) for parts in zip(*islice(stream(name), 3), strict=True))
    assert_same(seen, observe(network, Tensors(x, y, size=8)))


def test_what_is_distilled_does_not_show_in_what_is_seen() -> None:
    network, teacher = at_hand("plain"), at_hand("residual").module
    recipe = Recipe(0.02, distillation=0.5)
    tuned, seen = train_observed(network, stream(), 1, Training(recipe, seed=4, teacher=teacher))
    assert_same_weights(tuned.module, train(network.module, stream(), 1, Training(recipe, seed=4, teacher=teacher)))
    assert_same(seen, train_observed(network, stream(), 1, Training(RECIPE, seed=4))[1])


@pytest.mark.parametrize("last", [1, 2, 9])
def test_only_the_last_updates_are_observed_where_asked(last: int) -> None:
    network = at_hand("plain")
    tuned, seen = train_observed(network, stream(), 4, Training(RECIPE), last=last)
    everything, whole = train_observed(network, stream(), 4, Training(RECIPE))
    assert_same_weights(tuned.module, everything.module)
    assert torch.equal(seen.gradient, whole.gradient[-8 * last :])


class NoImages:
    """Batches that must not be looked at."""

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Minibatch]:
        raise AssertionError("a pass was made")


@pytest.fixture(scope="module")
def observed() -> tuple[Network, Observation]:
    return train_observed(at_hand("plain_batchnorm"), stream(), 2, Training(RECIPE))


@pytest.mark.parametrize("name", CRITERIA)
def test_criteria_from_updates_are_exactly_those_that_need_no_pass_more(
    name: str, observed: tuple[Network, Observation]
) -> None:
    network, seen = observed
    criterion = CRITERIA[name]
    if not SELECTORS[name].from_updates:
        with pytest.raises(AssertionError, match="a pass was made"):
            gather(network, NoImages(), criterion.needs, seen=seen)
        return
    saliency = criterion.saliency(gather(network, NoImages(), criterion.needs, seen=seen))
    x, y = (torch.cat(parts) for parts in zip(*islice(stream(), 2), strict=True))
    afresh = gather(network, Tensors(x, y), criterion.needs)
    assert saliency.shape == (len(network.units),) and saliency.isfinite().all()
    if "seen" not in criterion.needs:  # weights are read after the updates
        assert torch.equal(saliency, criterion.saliency(afresh))


@pytest.mark.parametrize(("updates", "last"), [(0, None), (3, 0), (-1, None)])
def test_nothing_to_observe_is_bad_input(updates: int, last: int | None) -> None:
    with pytest.raises(BadInput, match=f"of {updates} updates the last {min(updates, 0)} would be observed"):
        train_observed(at_hand("plain"), stream(), updates, Training(RECIPE), last=last)


def test_progress_is_that_of_training_and_can_cancel() -> None:
    told: list[tuple[int, int, str]] = []
    train_observed(at_hand("plain"), stream(), 2, Training(RECIPE), report=lambda *note: told.append(note))
    plain: list[tuple[int, int, str]] = []
    train(at_hand("plain").module, stream(), 2, Training(RECIPE), report=lambda *note: plain.append(note))
    assert told == plain and [done for done, *_ in told] == [1, 2]

    def stop(done: int, total: int, note: str = "") -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_observed(at_hand("plain"), stream(), 2, Training(RECIPE), report=stop)
