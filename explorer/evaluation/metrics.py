"""Metrics: one state of a network in numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor

from explorer.core.errors import BadInput
from explorer.core.progress import Report, silent
from explorer.data import Batches
from explorer.evaluation.evaluate import Outcome, evaluate
from explorer.evaluation.intervals import normal, wilson
from explorer.networks.costs import Costs
from explorer.networks.network import Network

NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Metrics:
    """One state in numbers; what only images tell is None where there were none."""

    loss: float | None  # nats, mean over the validation images
    accuracy: float | None  # 0 to 1
    images: int  # that loss and accuracy were measured on; 0: on none
    units: int
    parameters: int
    flops: int  # one image
    latency: float | None = None  # share of the network's as loaded, where it was measured
    loss_error: float | None = field(default=None, compare=False)  # standard error of the loss over the images

    @property
    def quality(self) -> tuple[float, float]:
        """Loss and accuracy of a state that was measured; raises BadInput for another."""
        if self.loss is None or self.accuracy is None:
            raise BadInput("No loss or accuracy was measured: there were no images.")
        return self.loss, self.accuracy

    def interval(self, quantity: str) -> tuple[float, float] | None:
        """The 95 % interval of "accuracy" or "loss" that this many images give; None where it is not known."""
        if quantity == "accuracy" and self.accuracy is not None:
            return wilson(self.accuracy, self.images)
        if quantity == "loss" and self.loss is not None and self.loss_error is not None:
            return normal(self.loss, self.loss_error)
        return None


def metrics_of(outcome: Outcome | None, costs: Costs, removed: Tensor, latency: float | None = None) -> Metrics:
    """The metrics of a network with the units where `removed` (units,) is True gone; outcome: None without images."""
    return Metrics(
        loss=outcome.loss if outcome else None,
        accuracy=outcome.accuracy if outcome else None,
        images=len(outcome.labels) if outcome else 0,
        units=int((~removed).sum()),
        parameters=costs.parameters(removed),
        flops=costs.flops(removed),
        latency=latency,
        loss_error=outcome.loss_error if outcome else None,
    )


def measured(
    network: Network, images: Batches | None, costs: Costs, removed: Tensor, report: Report = silent
) -> Metrics:
    """The metrics of a pruned network on these images; without any, what can be counted of it."""
    return metrics_of(None if images is None else evaluate(network, images, report=report), costs, removed)


def written(number: float | None, form: str) -> str:
    """A number of a state in this format, or that it was not measured."""
    return NOT_MEASURED if number is None else format(number, form)
