"""What is known of a run, as the plain JSON values that a page to share holds, draws and can be read back from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

from explorer.core.progress import Report, silent
from explorer.data import Batches
from explorer.export.sharing.pictures import unit_pictures
from explorer.networks.network import Network
from explorer.pruning.selectors import scaling_for
from explorer.runs.stages import stages
from explorer.runs.store import Run
from explorer.runs.timeline_json import to_json
from explorer.scoring.criteria import CRITERIA
from explorer.scoring.observe import Observation
from explorer.scoring.oracle import Oracle
from explorer.scoring.ranking import correlation_table, rank_statistics, ranks, scaled

SCALING = "l2"  # under which criteria rank units of different layers here, as in the paper; the oracle is never scaled
MEASURES = ("per_layer", "all_layers", f"all_layers_{SCALING}")  # of the agreement: Table 1
DIGITS = 6  # of each value that is not a count
NO_ORACLE = "The oracle was not measured: what removing each single unit does to the loss is not known here."
NO_IMAGES = (
    "There were no images: criteria that look at images, losses, accuracies and pictures of units were not measured."
)


@dataclass(frozen=True, eq=False)
class Explored:
    """A run, and what is known of the units of the network that it began with."""

    run: Run
    network: Network  # as loaded
    saliencies: Mapping[str, Tensor]  # criterion -> (units,), not scaled
    images: Batches | None = None  # that they were computed on; None: on the weights alone
    seen: Observation | None = None  # of these images
    oracle: Oracle | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """The sentences on what was not measured."""
        return tuple(text for text, there in ((NO_IMAGES, self.images), (NO_ORACLE, self.oracle)) if there is None)


def run_json(explored: Explored) -> dict[str, Any]:
    """The run as its run.json tells of it, but for where network and images lie on the computer that it was made on."""
    run = explored.run
    return {
        "kind": run.kind,
        "network": _without_place(run.network),
        "data": _without_place(run.data),
        "settings": dict(run.settings),
        "timeline": to_json(run.states),
    }


def _without_place(part: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name != "source"}


def measured_json(explored: Explored, report: Report = silent) -> dict[str, Any]:
    """All else that the page shows: units in the order of the network, saliencies, ranks, agreement and pictures.

    Ranks: 1 = most important, ties share their average. What was not measured is null, and `missing` says so.
    """
    network, units, images, found = explored.network, explored.network.units, explored.images, explored.oracle
    return {
        "name": network.name,
        "classes": list(network.classes),
        "preparation": network.preprocessing.describe(),
        "layers": [{"name": layer.name, "channels": list(layer.channels)} for layer in units.layers],
        "unprunable": dict(units.unprunable),
        "stages": {number: {"kind": s.kind, "said": str(s)} for number, s in stages(explored.run.states).items()},
        "calibration": images.describe() if images else None,
        "criteria": {name: _criterion(name, values, explored) for name, values in explored.saliencies.items()},
        "oracle": found and _oracle(found),
        "agreement": found and _agreement(explored.saliencies, found),
        "pictures": unit_pictures(network, images, explored.seen, report) if images and explored.seen else None,
        "missing": list(explored.missing),
    }


def _criterion(name: str, saliency: Tensor, explored: Explored) -> dict[str, Any]:
    criterion, units = CRITERIA[name], explored.network.units
    scaling = scaling_for(name, SCALING)
    ranked = scaled(saliency, units, scaling)
    return {
        "title": criterion.title,
        "unit": criterion.unit,
        "summary": criterion.summary,
        "scaling": scaling,
        "saliency": rounded(saliency.tolist()),
        "ranks": whole(ranks(ranked).tolist()),
        "statistics": [list(asdict(each).values())[1:] for each in rank_statistics(ranked, units)],
    }


def _oracle(found: Oracle) -> dict[str, Any]:
    return {
        "loss": rounded(found.oracle_loss.tolist()),
        "standard_error": rounded(found.standard_error.tolist()),
        "ranks": whole(ranks(found.oracle_abs).tolist()),
        "statistics": [list(asdict(each).values())[1:] for each in rank_statistics(found.oracle_abs, found.units)],
        "images": found.images,
        "total": found.total,
        "method": found.method,
    }


def _agreement(saliencies: Mapping[str, Tensor], found: Oracle) -> dict[str, dict[str, float | None]]:
    """Spearman's correlation of each criterion with oracle-abs; None where it is not defined."""
    table = correlation_table(saliencies, found.oracle_abs, found.units, SCALING)
    return {
        name: dict(zip(MEASURES, rounded(values[m] for m in MEASURES), strict=True)) for name, values in table.items()
    }


def rounded(values: Iterable[float]) -> list[float | None]:
    """The values to DIGITS digits; None for those that JSON has no number for."""
    return [float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None for value in values]


def whole(values: Iterable[float]) -> list[float]:
    """Ranks, those without a half as whole numbers: they take half the room."""
    return [int(value) if value == int(value) else value for value in values]
