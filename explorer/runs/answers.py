"""Answers along a run: what the network said of one image at each state on the way."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

import torch
from torch import Tensor

from explorer.evaluation.answers import answers
from explorer.networks.network import Network
from explorer.runs.timeline import Timeline, path, removed_at, trained_at


def weights_on_the_way(timeline: Timeline) -> tuple[int | None, ...]:
    """The states on the way to the current one that have weights of their own; None first: those as loaded."""
    return tuple(dict.fromkeys(trained_at(timeline, number) for number in path(timeline)))


def answers_on_the_way(timeline: Timeline, weights_of: Callable[[int | None], Network], x: Tensor) -> dict[int, Tensor]:
    """State -> (classes,) probabilities of an image x (C, H, W), from the network as loaded to the current state.

    weights_of: the network in its whole shape with the weights of a state, None: as loaded. Raises BadInput as it does.
    """
    found: dict[int, Tensor] = {}
    for trained, group in groupby(path(timeline), lambda number: trained_at(timeline, number)):
        states, network = list(group), weights_of(trained)
        plans = torch.stack([removed_at(timeline, network.units, number) for number in states])
        found.update(zip(states, answers(network, x, plans), strict=True))
    return found
