"""Samples: the images to look at, chosen by a network's answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.evaluation.evaluate import Outcome


@dataclass(frozen=True)
class Sample:
    """One image and its prediction."""

    position: int  # among the images of the outcome
    label: int
    predicted: int
    probability: float  # of the predicted class, softmax, 0 to 1

    @property
    def right(self) -> bool:
        """Whether the prediction is the label."""
        return self.label == self.predicted


@dataclass(frozen=True)
class SampleOrder:
    """A choice of images and their order."""

    title: str
    among: Callable[[Tensor], Tensor]  # (N,) bool right -> (N,) bool shown
    falling: bool | None  # by probability, from the highest or the lowest; None = in the order of the images


ORDERS: dict[str, SampleOrder] = {
    "wrong": SampleOrder("wrong, most confident first", torch.logical_not, True),
    "right": SampleOrder("right, least confident first", torch.clone, False),
    "any": SampleOrder("any, in seeded order", torch.ones_like, None),
}


def samples(outcome: Outcome, order: str = "wrong", *, label: int | None = None, count: int = 12) -> list[Sample]:
    """The first `count` images of an order, of one true class if `label` is given; ties in the order of the images."""
    chosen = ORDERS[order]
    probability, predicted = outcome.probabilities.max(1)
    kept = chosen.among(predicted == outcome.labels)
    if label is not None:
        kept &= outcome.labels == label
    places = kept.nonzero()[:, 0]
    if chosen.falling is not None:
        places = places[probability[places].argsort(descending=chosen.falling, stable=True)]
    return [
        Sample(place, int(outcome.labels[place]), int(predicted[place]), float(probability[place]))
        for place in places[:count].tolist()
    ]
