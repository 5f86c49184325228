"""Updates as evidence: gathered on the very minibatches that fine-tune a network, as the paper does."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from itertools import count

from torch import Tensor, nn

from explorer.core.errors import BadInput
from explorer.core.progress import Report, silent
from explorer.networks.network import Network, with_weights_of
from explorer.scoring.observe import Observation, joined_observations, observer
from explorer.training.finetune import Minibatch, Training, train


def train_observed(
    network: Network,
    stream: Iterator[Minibatch],
    updates: int,
    training: Training,
    report: Report = silent,
    last: int | None = None,
) -> tuple[Network, Observation]:
    """The network after `train`, and what was seen of the minibatches of its updates, or of the `last` so many.

    A minibatch is observed right before its update, with the weights as they are then, in eval mode: no dropout, and
    batch-norm neither uses nor keeps the minibatch's statistics. The loss is the network's, distilled or not. The
    weights are bit for bit those of `train`. An update takes about twice the time, and an image 48 bytes a unit.
    With `gather(..., seen=...)` the observation is evidence for every criterion that needs no more than
    `explorer.scoring.evidence.FROM_UPDATES`.
    Raises BadInput as `train` does, and where nothing would be observed.
    """
    watched = updates if last is None else min(last, updates)
    if watched < 1:
        raise BadInput(f"of {updates} updates the last {watched} would be observed: it must be at least 1.")
    parts: list[Observation] = []
    place = count()

    def on_minibatch(module: nn.Module, x: Tensor, y: Tensor) -> None:
        if next(place) >= updates - watched:
            parts.append(observer(replace(network, module=_beside(module)))(x, y))

    tuned = train(network.module, stream, updates, replace(training, on_minibatch=on_minibatch), report)
    return with_weights_of(network, tuned), joined_observations(parts)


def _beside(module: nn.Module) -> nn.Module:
    """A copy of the module's structure on the same memory, whose weights take no part in any gradient."""
    memory = {id(p): nn.Parameter(p.detach(), requires_grad=False) for p in module.parameters()}
    return copy.deepcopy(module, {**memory, **{id(b): b for b in module.buffers()}})
