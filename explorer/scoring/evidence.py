"""Evidence: all that criteria may look at, gathered in as few passes as they need."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from explorer.core.progress import Report, silent
from explorer.data import Batches
from explorer.networks.network import Network
from explorer.networks.units import Units
from explorer.scoring.curvature import Curvature, fisher
from explorer.scoring.kernels import Kernels, batchnorm_scales, kernel_distances, read_kernels
from explorer.scoring.linearise import EXACT_CLASSES, LARGEST, linear_change, linearise
from explorer.scoring.map_ranks import RANKED_IMAGES, map_ranks
from explorer.scoring.observe import Observation, observe

DRAWS = 4  # classes drawn an image, of those not followed


@dataclass(frozen=True, eq=False)
class Evidence:
    """The evidence gathered of a network on N images; a part is None if it was not asked for, or does not exist."""

    units: Units
    seed: int = 0  # of the random control, and of all that is drawn
    kernels: Kernels | None = None
    batchnorm: Tensor | None = None  # (units,) |gamma|
    kernel_distances: Tensor | None = None  # (units,) from all kernels of the layer
    seen: Observation | None = None
    curvature: Curvature | None = None
    linear_change: Tensor | None = None  # (N, units) C_n with the gate closed - C_n, linearised, nats
    map_ranks: Tensor | None = None  # (N, units) ranks of the feature maps; nan for images not looked at


Work = Callable[[Network, Batches, int, Report], dict[str, Any]]


@dataclass(frozen=True)
class EvidencePass:
    """Parts of the evidence that come from the same passes, and what these cost."""

    parts: frozenset[str]
    cost: str
    work: Work
    of_weights: bool = False  # no image is looked at


def _kernels(network: Network, batches: Batches, seed: int, report: Report) -> dict[str, Any]:
    return {"kernels": read_kernels(network), "batchnorm": batchnorm_scales(network)}


def _distances(network: Network, batches: Batches, seed: int, report: Report) -> dict[str, Any]:
    return {"kernel_distances": kernel_distances(network)}


def _observation(network: Network, batches: Batches, seed: int, report: Report) -> dict[str, Any]:
    return {"seen": observe(network, batches, report)}


def _classwise(network: Network, batches: Batches, seed: int, report: Report) -> dict[str, Any]:
    second: list[Curvature] = []
    changes: list[Tensor] = []
    for found in linearise(network, batches, report=report, draws=DRAWS, seed=seed):
        second.append(fisher(found))
        changes.append(linear_change(found))
    return {
        "curvature": Curvature(torch.cat([c.values for c in second]), torch.cat([c.variance for c in second])),
        "linear_change": torch.cat(changes),
    }


def _ranks(network: Network, batches: Batches, seed: int, report: Report) -> dict[str, Any]:
    return {"map_ranks": map_ranks(network, batches, report=report)}


CLASSWISE = f"a backward pass per class; above {EXACT_CLASSES} classes {LARGEST + 2 + DRAWS} in all"
STAGES = (
    EvidencePass(frozenset({"kernels", "batchnorm"}), "none: reads the weights", _kernels, of_weights=True),
    EvidencePass(frozenset({"kernel_distances"}), "none: reads the weights", _distances, of_weights=True),
    EvidencePass(frozenset({"seen"}), "one forward and backward pass", _observation),
    EvidencePass(frozenset({"curvature", "linear_change"}), CLASSWISE, _classwise),
    EvidencePass(frozenset({"map_ranks"}), f"a singular value decomposition per map, {RANKED_IMAGES} images", _ranks),
)  # cheapest first
PARTS = frozenset[str]().union(*(stage.parts for stage in STAGES))
ALWAYS = frozenset({"units", "seed"})
OF_WEIGHTS = ALWAYS.union(*(stage.parts for stage in STAGES if stage.of_weights))
"""The parts there are where no image is looked at: `gather_of_weights`."""

FROM_UPDATES = OF_WEIGHTS | {"seen"}
"""The parts there are where images were only seen in passing: `explorer.training.update_evidence.train_observed`."""


def gather_of_weights(network: Network, *, seed: int = 0) -> Evidence:
    """The evidence that is in the weights."""
    return Evidence(
        network.units,
        seed,
        kernels=read_kernels(network),
        batchnorm=batchnorm_scales(network),
        kernel_distances=kernel_distances(network),
    )


def gather(
    network: Network,
    batches: Batches,
    parts: Collection[str] = PARTS,
    *,
    seed: int = 0,
    report: Report = silent,
    seen: Observation | None = None,
) -> Evidence:
    """These parts of the evidence, and those that come with them at no cost.

    seen: an earlier observation of the network's units; the batches are then not observed again.
    """
    stages = gather_in_stages(network, batches, parts, seed=seed, report=report, seen=seen)
    *_, found = Evidence(network.units, seed, seen=seen), *stages
    return found


def gather_in_stages(
    network: Network,
    batches: Batches,
    parts: Collection[str] = PARTS,
    *,
    seed: int = 0,
    report: Report = silent,
    seen: Observation | None = None,
) -> Iterator[Evidence]:
    """The evidence so far after each stage that these parts need, cheapest first; for `seen`, see `gather`."""
    found = Evidence(network.units, seed, seen=seen)
    for stage in STAGES:
        if any(getattr(found, part) is None for part in stage.parts & set(parts)):
            found = replace(found, **stage.work(network, batches, seed, report))
            yield found


def cost(parts: Collection[str]) -> str:
    """The dearest pass that these parts need."""
    needed = [stage.cost for stage in STAGES if stage.parts & set(parts)]
    return needed[-1] if needed else "none"
