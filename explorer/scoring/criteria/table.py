"""The table of criteria: what pages, command line, documentation and tests are made from."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.networks.network import Network
from explorer.networks.units import Units
from explorer.scoring.criteria.activations import activation_mean, activation_std, apoz, hrank, mutual_information
from explorer.scoring.criteria.loss import linear_oracle, obd, taylor, taylor2, weight_taylor
from explorer.scoring.criteria.weights import bn_scale, fpgm, l1, weight
from explorer.scoring.evidence import OF_WEIGHTS, Evidence, cost
from explorer.scoring.kernels import without_batchnorm
from explorer.scoring.observe import Observation
from explorer.scoring.ranking import l2


def combined(first: Tensor, second: Tensor, units: Units, share: float = 0.5) -> Tensor:
    """(units,) two saliencies as one: (1 - share) * first + share * second, each scaled layer-wise by l2 before."""
    return (1 - share) * l2(first, units) + share * l2(second, units)


def taylor_activation(seen: Observation, share: float = 0.5) -> Tensor:
    """Taylor and activation mean, half and half, each scaled to unit length in every layer.

        s[u] = (1 - share) * taylor[u] / |taylor of the layer| + share * mean[u] / |means of the layer|

    No unit; (units,), higher = keep. Appendix of Molchanov et al. 2017.
    """
    return combined(taylor(seen), activation_mean(seen), seen.units, share)


def random(units: Units, seed: int) -> Tensor:
    """The control: uniform noise, whose expected rank correlation with anything is 0.

    Drawn once for every channel of the network as loaded, so that later rankings, with fewer units, keep one uniform
    order. No unit; (units,), 0 to 1. Molchanov et al. 2017, sec. 3.
    """
    drawn = [_noise(seed, layer.name, max(layer.channels) + 1)[list(layer.channels)] for layer in units.layers]
    return torch.from_numpy(np.concatenate(drawn))


def _noise(seed: int, name: str, count: int) -> np.ndarray:
    """(count,) uniform on [0, 1), float64; the first of them are the same for any count."""
    return np.random.default_rng((seed, zlib.crc32(name.encode()))).random(count)


def fits_all(network: Network) -> str | None:
    """Why a network can't be scored, for criteria that can score any: no reason."""
    return None


MOLCHANOV = "Molchanov et al. 2017, arXiv:1611.06440"
THIS_PROJECT = "this project"
NONE: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class Criterion:
    """One way to score units. All are read the same way: higher means more important, keep."""

    name: str
    title: str
    unit: str
    function: Callable[..., Tensor]  # of the parts of the evidence that it needs
    needs: tuple[str, ...]  # their names
    source: str = MOLCHANOV
    parameters: Mapping[str, Any] = field(default_factory=lambda: NONE)
    variant: str = ""  # says what the parameters make of it, where they are not the usual ones
    why_not: Callable[[Network], str | None] = fits_all  # why it can't score a network; None where it can
    scalable: bool = True  # layer by layer; not chance: every unit is to be as likely to go as any other

    def saliency(self, evidence: Evidence) -> Tensor:
        """(units,) float64; the evidence must have what the criterion needs."""
        return self.function(*(getattr(evidence, part) for part in self.needs), **self.parameters)

    @property
    def summary(self) -> str:
        """Its definition, in one sentence."""
        return self.variant or (self.function.__doc__ or "").partition("\n")[0]

    @property
    def of_weights(self) -> bool:
        """Whether it looks at no image."""
        return set(self.needs) <= OF_WEIGHTS

    @property
    def cost(self) -> str:
        """The dearest pass that it needs."""
        return cost(self.needs)


CRITERIA: dict[str, Criterion] = {
    c.name: c
    for c in (
        Criterion("taylor", "Taylor", "nats a position", taylor, ("seen",)),
        Criterion(
            "taylor_mean",
            "Taylor, abs after the mean",
            "nats a position",
            taylor,
            ("seen",),
            parameters={"absolute": "mean"},
            variant="Taylor with the absolute value after the mean over images.",
        ),
        Criterion(
            "taylor_element",
            "Taylor, abs per element",
            "nats a position",
            taylor,
            ("seen",),
            parameters={"absolute": "element"},
            variant="Taylor with the absolute value at every position.",
        ),
        Criterion("taylor2", "Taylor-2", "nats", taylor2, ("seen", "curvature"), THIS_PROJECT),
        Criterion("linear_oracle", "Linearised oracle", "nats", linear_oracle, ("linear_change",), THIS_PROJECT),
        Criterion("obd", "OBD", "nats", obd, ("curvature",), "LeCun et al. 1990"),
        Criterion(
            "weight_taylor",
            "Weight-Taylor",
            "nats²",
            weight_taylor,
            ("seen",),
            source="Molchanov et al. 2019, arXiv:1906.10771",
        ),
        Criterion("taylor_activation", "Taylor + activation mean", "none", taylor_activation, ("seen",)),
        Criterion("activation_mean", "Activation mean", "activation", activation_mean, ("seen",)),
        Criterion("activation_std", "Activation std", "activation", activation_std, ("seen",)),
        Criterion("apoz", "APoZ", "share positive", apoz, ("seen",), "Hu et al. 2016, arXiv:1607.03250"),
        Criterion("mutual_information", "Mutual information", "nats", mutual_information, ("seen",)),
        Criterion("hrank", "HRank", "rank", hrank, ("map_ranks",), "Lin et al. 2020, arXiv:2002.10179"),
        Criterion("weight", "Weight", "squared weight", weight, ("kernels",)),
        Criterion("l1", "L1 norm", "weight", l1, ("kernels",), "Li et al. 2017, arXiv:1608.08710"),
        Criterion(
            "fpgm", "Geometric median", "weight", fpgm, ("kernel_distances",), "He et al. 2019, arXiv:1811.00250"
        ),
        Criterion(
            "bn_scale",
            "Batch-norm scale",
            "scale",
            bn_scale,
            ("batchnorm",),
            "Liu et al. 2017, arXiv:1708.06519",
            why_not=without_batchnorm,
        ),
        Criterion("random", "Random", "none", random, ("units", "seed"), scalable=False),
    )
}


def needs(names: Iterable[str]) -> set[str]:
    """The parts of the evidence that these criteria look at."""
    return {part for name in names for part in CRITERIA[name].needs}


def applicable(network: Network) -> dict[str, Criterion]:
    """The criteria that can score this network, in the table's order."""
    return {name: criterion for name, criterion in CRITERIA.items() if criterion.why_not(network) is None}


def score(evidence: Evidence) -> dict[str, Tensor]:
    """Saliency (units,) by criterion, of all criteria that the evidence suffices for."""
    possible = (c for c in CRITERIA.values() if all(getattr(evidence, part) is not None for part in c.needs))
    return {c.name: c.saliency(evidence) for c in possible}
