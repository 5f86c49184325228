"""Metrics: one state of a network in numbers."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from explorer.evaluation.evaluate import Outcome
from explorer.networks.costs import Costs


@dataclass(frozen=True)
class Metrics:
    """One state in numbers."""

    loss: float  # nats, mean over the validation images
    accuracy: float  # 0 to 1
    images: int
    units: int
    parameters: int
    flops: int  # one image
    latency: float | None = None  # share of the network's as loaded, where it was measured


def metrics_of(outcome: Outcome, costs: Costs, removed: Tensor, latency: float | None = None) -> Metrics:
    """The metrics of a network with the units where `removed` (units,) is True gone."""
    return Metrics(
        loss=outcome.loss,
        accuracy=outcome.accuracy,
        images=len(outcome.labels),
        units=int((~removed).sum()),
        parameters=costs.parameters(removed),
        flops=costs.flops(removed),
        latency=latency,
    )
