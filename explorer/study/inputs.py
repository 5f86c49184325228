"""Bench: what every part of a study works on, and what it hands back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from explorer.core.progress import Report
from explorer.data import Batches
from explorer.networks.network import Network
from explorer.runs.store import Run
from explorer.study.presets import Preset


@dataclass(frozen=True, eq=False)
class StudyInputs:
    """A network on its device, its images, and where finished lanes lie."""

    network: Network
    splits: Mapping[str, Batches]  # "calibration", "finetune", "validation"
    preset: Preset
    seed: int
    folder: Path
    about: Run  # the network and the images, as a folder keeps them

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of everything that trains."""
        return tuple(range(self.seed, self.seed + self.preset.seeds))

    @property
    def calibrated(self) -> str:
        """The images of the oracle and the criteria, for captions."""
        return f"{self.splits['calibration'].describe()}, on {self.network.device}"

    @property
    def validated(self) -> str:
        """The images that accuracies are measured on, for captions."""
        return f"{self.splits['validation'].describe()}, on {self.network.device}"

    @property
    def trained(self) -> str:
        """How weights are updated, for captions."""
        recipe = self.preset.recipe
        return (
            f"{recipe.optimizer.upper()}, learning rate {recipe.learning_rate:g}, minibatches of {recipe.batch_size}, "
            f"momentum {recipe.momentum:g}; {seeds_in_words(self.seeds)}"
        )


@dataclass(frozen=True)
class Finding:
    """Something that the paper found, and whether it is so here."""

    claim: str
    here: str  # the measured numbers
    holds: bool | None  # None: can't be told on this network


@dataclass(frozen=True)
class PartResult:
    """The result of a part. The same settings give the same values, but for those measured in time."""

    result: Mapping[str, Any]
    setting: str  # n, split, seeds, device, before or after fine-tuning
    findings: Sequence[Finding] = ()
    measured: Mapping[str, Any] = field(default_factory=dict)  # times, and what rests on them

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


Results = Mapping[str, Mapping[str, Any]]
"""Part -> its result, of the parts that came before."""
Work = Callable[[StudyInputs, Results, Report], PartResult]


def finite_or_none(value: float) -> float | None:
    """The number, or None where it is not defined: JSON has no word for that."""
    return value if np.isfinite(value) else None


def mean_accuracy(x: Sequence[float], y: Sequence[float], least: float) -> float:
    """Mean of y over x from `least` to 1, with straight lines between the points."""
    order = np.argsort(x)
    grid = np.linspace(least, 1, 101)
    return float(np.interp(grid, np.asarray(x)[order], np.asarray(y)[order]).mean())


def seeds_in_words(seeds: Sequence[int]) -> str:
    """ "seed 0", "median of seeds 0 to 2"."""
    return f"seed {seeds[0]}" if len(seeds) == 1 else f"median of seeds {seeds[0]} to {seeds[-1]}"
