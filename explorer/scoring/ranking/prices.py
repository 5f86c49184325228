"""Prices: what a unit costs, so that of two equally salient units the dearer one goes first.

Regularisation has the form of eq. 9 of Molchanov et al. 2017, whatever the price:

    s[u] - penalty * price[u]
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.core.progress import Report, silent
from explorer.networks.costs import Costs
from explorer.networks.network import Network
from explorer.scoring.ranking.latency import measure_unit_latency

FLOPS_PENALTY = 1e-3  # Molchanov et al. 2017, eq. 9
FLOAT = 4  # bytes

AtPlan = Callable[[Tensor], Tensor]  # the units gone so far (units,) bool -> price of each unit (units,) float64


def flops(network: Network, costs: Costs, report: Report) -> AtPlan:
    """MFLOPs that the convolutions writing a feature map spend on it in the network as given: the paper's price."""
    price = costs.unit_flops() / 1e6
    return lambda removed: price


def saving(network: Network, costs: Costs, report: Report) -> AtPlan:
    """MFLOPs that go if one more unit of the layer goes, those of the layers that read it included."""
    return lambda removed: costs.savings(costs.flops, removed) / 1e6


def parameters(network: Network, costs: Costs, report: Report) -> AtPlan:
    """Million parameters that go if one more unit of the layer goes, those of the layers that read it included."""
    return lambda removed: costs.savings(costs.parameters, removed) / 1e6


def memory(network: Network, costs: Costs, report: Report) -> AtPlan:
    """Megabytes of convolution outputs, one image in float32, that go if one more unit of the layer goes."""
    return lambda removed: FLOAT * costs.savings(costs.activations, removed) / 1e6


def latency(network: Network, costs: Costs, report: Report) -> AtPlan:
    """Milliseconds saved a unit in the network as given, timed layer by layer; 0 where less width is not faster."""
    price = measure_unit_latency(network, costs, report=report).median.clamp(min=0)
    return lambda removed: price


@dataclass(frozen=True)
class Price:
    """One way to price units: the row that page, command line and tests are made from."""

    name: str
    title: str
    unit: str
    of: Callable[[Network, Costs, Report], AtPlan]
    measured: bool = False  # takes time, and differs from one measurement to the next

    @property
    def summary(self) -> str:
        """First line of the function's documentation."""
        return (self.of.__doc__ or "").partition("\n")[0]


PRICES: dict[str, Price] = {
    p.name: p
    for p in (
        Price("flops", "FLOPs", "MFLOPs", flops),
        Price("saving", "Saved FLOPs", "MFLOPs", saving),
        Price("parameters", "Parameters", "million parameters", parameters),
        Price("memory", "Memory", "MB", memory),
        Price("latency", "Latency", "ms", latency, measured=True),
    )
}


def penalty_title(price: str) -> str:
    """The name of a price's penalty: "FLOPs penalty"."""
    return f"{PRICES[price].title} penalty"


def check_price(name: str, penalty: float) -> None:
    """Raise BadInput unless there is such a price, and the penalty is a finite number of at least 0."""
    if name not in PRICES:
        raise BadInput(f"Unknown price '{name}'; known are {', '.join(PRICES)}.")
    if not (math.isfinite(penalty) and penalty >= 0):
        raise BadInput(f"The penalty {penalty:g} of {name} must be a finite number of at least 0.")


def charges(name: str, penalty: float, network: Network, costs: Costs, report: Report = silent) -> AtPlan:
    """penalty * price of every unit of a network as given, as a function of the plan; what is measured is timed now.

    Without a penalty nothing is measured, and every charge is 0. Raises BadInput as `check_price` does.
    """
    check_price(name, penalty)
    price = PRICES[name].of(network, costs, report) if penalty else torch.zeros_like
    return lambda removed: penalty * price(removed).double()
