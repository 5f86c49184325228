"""Fine-tuning: the only file with an optimizer."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from itertools import count
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer

from explorer.core.errors import BadInput
from explorer.core.progress import Report, silent
from explorer.networks.losses import CROSS_ENTROPY, Loss
from explorer.networks.network import Network
from explorer.training.distillation import Objective, objective
from explorer.training.schedules import SCHEDULES

Minibatch = tuple[Tensor, Tensor]
"""Images x (B, C, H, W) and their labels y (B,)."""

IMAGENET, NONE = "imagenet", "none"  # starts of a network for new classes, other than a checkpoint
OnMinibatch = Callable[[nn.Module, Tensor, Tensor], None]
"""Looks at a minibatch, x and y, right before the module is updated with it; it must change neither."""

OPTIMIZERS: dict[str, Callable[[nn.Module, Recipe], Optimizer]] = {
    "sgd": lambda m, r: SGD(m.parameters(), r.learning_rate, momentum=r.momentum, weight_decay=r.weight_decay),
    "adam": lambda m, r: Adam(m.parameters(), r.learning_rate, (r.momentum, 0.999), weight_decay=r.weight_decay),
}


@dataclass(frozen=True)
class Recipe:
    """A recipe of fine-tuning; the defaults are those of Molchanov et al. 2017 (arXiv:1611.06440)."""

    learning_rate: float = 1e-4
    momentum: float = 0.9
    weight_decay: float = 1e-4
    batch_size: int = 32
    optimizer: str = "sgd"
    schedule: str = "constant"  # of the learning rate
    distillation: float = 0.0  # the teacher's share of the loss, 0 to 1; the labels have the rest
    temperature: float = 4.0  # of the distilled answers

    def __post_init__(self) -> None:
        rules = {
            "learning rate": (self.learning_rate, 0 < self.learning_rate < math.inf, "above 0 and finite"),
            "momentum": (self.momentum, 0 <= self.momentum < 1, "at least 0 and below 1"),
            "weight decay": (self.weight_decay, self.weight_decay >= 0, "at least 0"),
            "batch size": (self.batch_size, self.batch_size >= 1, "at least 1"),
            "optimizer": (self.optimizer, self.optimizer in OPTIMIZERS, f"one of {', '.join(OPTIMIZERS)}"),
            "schedule": (self.schedule, self.schedule in SCHEDULES, f"one of {', '.join(SCHEDULES)}"),
            "distillation": (self.distillation, 0 <= self.distillation <= 1, "between 0 and 1"),
            "temperature": (self.temperature, 0 < self.temperature < math.inf, "above 0 and finite"),
        }
        for name, (value, holds, rule) in rules.items():
            if not holds:
                raise BadInput(f"{name} {value!r} must be {rule}.")

    def rate(self, update: int, updates: int) -> float:
        """The learning rate of one update, 0 to updates - 1."""
        return self.learning_rate * SCHEDULES[self.schedule](update, updates)


def recipe_from(settings: Mapping[str, Any]) -> Recipe:
    """The recipe in a run's settings; fields that an older run lacks had their default."""
    try:
        return Recipe(**{field.name: settings[field.name] for field in fields(Recipe) if field.name in settings})
    except TypeError as error:  # text or a list where a number must be
        raise BadInput("The run's settings are damaged: its recipe for fine-tuning can't be read.") from error


PAPER = Recipe()


@dataclass(frozen=True, eq=False)
class Training:
    """All that decides a training: the recipe, and the rest beside it."""

    recipe: Recipe = PAPER
    seed: int = 0  # of dropout
    loss: Loss = CROSS_ENTROPY  # the network's own
    teacher: nn.Module | None = None  # whose answers a recipe that distils learns from
    on_minibatch: OnMinibatch | None = None
    on_loss: Callable[[float], None] | None = None  # is told each minibatch's loss, before its update

    def taught_by(self, network: Network) -> Training:
        """With this network's loss, and with it as the teacher where the recipe distils."""
        return replace(self, loss=network.loss, teacher=network.module if self.recipe.distillation else None)

    def objective(self) -> Objective:
        """The function that each minibatch's step decreases. Raises BadInput if the recipe distils and there is no
        teacher.
        """
        return objective(self.loss, self.teacher, self.recipe.distillation, self.recipe.temperature)


class Images(Protocol):
    """A source of minibatches, such as `explorer.data.Batches`."""

    def __len__(self) -> int:
        """The number of images."""

    def picked(self, positions: Tensor) -> Iterable[Minibatch]:
        """The images at these positions, in this order."""


def minibatches(images: Images, size: int, seed: int = 0, start: int = 0) -> Iterator[Minibatch]:
    """Training minibatches without end, x (size, C, H, W) and y (size,), each image once an epoch in a new order.

    Images are read as they are drawn: they need not fit into memory. The order depends on `seed` alone; `start` skips
    so many minibatches, so that a resumed run draws what it would have drawn.
    """
    for step in count(start):
        drawn = images.picked(torch.from_numpy(_draw(len(images), size, seed, step)))
        x, y = (torch.cat(parts) for parts in zip(*drawn, strict=True))
        yield x, y


def _draw(images: int, size: int, seed: int, step: int) -> np.ndarray:
    """(size,) image indices of one minibatch; one that crosses the end of an epoch goes on in the next."""
    epochs, places = np.divmod(np.arange(step * size, (step + 1) * size), images)
    orders = {epoch: np.random.default_rng((seed, epoch)).permutation(images) for epoch in set(epochs.tolist())}
    return np.array([orders[epoch][place] for epoch, place in zip(epochs.tolist(), places.tolist(), strict=True)])


def train(
    module: nn.Module,
    stream: Iterator[Minibatch],
    updates: int,
    training: Training = Training(),
    report: Report = silent,
) -> nn.Module:
    """A copy of `module` after `updates` steps down the mean loss of `stream`'s minibatches.

    Where the recipe distils, the loss is that of `explorer.training.distillation` with this teacher; the schedule runs
    over these updates. Train mode (dropout on, batch-norm statistics move) during the updates, eval mode and frozen
    weights after them. On CPU the same seed and stream give the same weights, bit for bit at one thread count, watched
    or not. Each update is reported with its loss. Raises BadInput when the loss or a weight
    stops being finite, or a teacher is missing.
    """
    if updates < 0:
        raise BadInput(f"The number of updates is {updates}: it must be at least 0.")
    tuned = copy.deepcopy(module).requires_grad_(True)
    optimizer = OPTIMIZERS[training.recipe.optimizer](tuned, training.recipe)
    descend(tuned, optimizer, stream, Span(0, updates, updates), training, report)
    return tuned.requires_grad_(False)


@dataclass(frozen=True)
class Span:
    """The updates from number `first` to before `last`, of the `total` that a schedule runs over."""

    first: int
    last: int
    total: int

    def __len__(self) -> int:
        return self.last - self.first


def descend(
    module: nn.Module,
    optimizer: Optimizer,
    stream: Iterator[Minibatch],
    span: Span,
    training: Training,
    report: Report = silent,
) -> None:
    """Update the module in place, as `train` does its copy; it is in eval mode afterwards."""
    loss_of, recipe = training.objective(), training.recipe
    device = next(module.parameters()).device
    module.train()
    with _seeded(training.seed, device):
        for update in range(1, len(span) + 1):
            x, y = (part.to(device) for part in next(stream))
            if training.on_minibatch:
                with _seeded(training.seed, device):  # its draws leave those of the updates as they are
                    training.on_minibatch(module, x, y)
            for group in optimizer.param_groups:
                group["lr"] = recipe.rate(span.first + update - 1, span.total)
            loss = _update(module, optimizer, loss_of, x, y)
            _check_finite(loss, module, recipe, update)
            if training.on_loss:
                training.on_loss(float(loss))
            report(update, len(span), f"loss {loss:.3f}")
    module.eval()


def _update(module: nn.Module, optimizer: Optimizer, loss_of: Objective, x: Tensor, y: Tensor) -> Tensor:
    """One step; the minibatch's loss before it, ()."""
    loss = loss_of(x, module(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


def _check_finite(loss: Tensor, module: nn.Module, recipe: Recipe, update: int) -> None:
    if update == 1 and not loss.isfinite():
        raise BadInput(f"the loss is {loss:g} before the first update: weights and images must be finite.")
    if not all(value.isfinite().all() for value in (loss, *module.parameters())):
        rate = f"learning rate {recipe.learning_rate:g}"
        raise BadInput(f"{rate} is too high for this network: loss or weights are no longer finite at update {update}.")


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Random numbers from `seed`, then those of before again."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
