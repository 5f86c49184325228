"""Subject: the network and the images that a command is about, opened from what a person asked for."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from explorer.cli.options import Request
from explorer.cli.output import progress, warn
from explorer.core.device import choose
from explorer.core.errors import BadInput
from explorer.data import Batches, ImageSet, Splits, open_images
from explorer.networks.architectures.families import split
from explorer.networks.costs import FLOPS_CONVENTION, Costs, measure_costs
from explorer.networks.demos import DEMO, DEMOS
from explorer.networks.graph.trace import why_no_graph
from explorer.networks.layers import check_prunable
from explorer.networks.load import CALIBRATION, batches_for, fitting_batch, for_classes
from explorer.networks.network import Network
from explorer.runs.opening import Place, place
from explorer.runs.stages import Stage, stage_at
from explorer.runs.store import Run


@dataclass(frozen=True, eq=False)
class Subject:
    """A network on its device, and the images that it is measured on."""

    request: Request
    network: Network
    costs: Costs
    images: ImageSet | None
    place: Place | None  # where the network lies; None for one that was made on the spot
    seed: int

    @property
    def run(self) -> Run | None:
        """The run that the network is the end of."""
        return self.place.run if self.place else None

    @property
    def original(self) -> Network:
        """The network before pruning, on the same device, for the same classes.

        Raises BadInput if it is not to be had.
        """
        assert self.place is not None, "what was made on the spot was not pruned"
        return for_classes(self.place.original.to(self.network.device), self.network.classes, self.place.where)

    @property
    def stage(self) -> Stage:
        """The stage of the network: how the run that ended with it changed its weights."""
        return self.stage_at(None)

    def stage_at(self, state: int | None) -> Stage:
        """The stage of the weights at one of the run's states; None means its end."""
        return stage_at(self.run.timeline, state) if self.run and self.run.timeline else Stage()

    @property
    def images_from(self) -> str | None:
        """The value of --data that opens the same images; None where there are none."""
        if self.images is None:
            return None
        return self.request.data or (self.place and self.place.images_from) or DEMO

    @property
    def batch_size(self) -> int:
        """Images computed at once."""
        return self.request.batch_size or fitting_batch(self.network)

    def batches(self, split: str, limit: int | None = None) -> Batches:
        """A split as tensors.

        Raises BadInput if there is none, or its images have not the size that the network takes.
        """
        assert self.images is not None, "commands that read images open their subject with them"
        return batches_for(self.network, self.images, split, limit, self.batch_size)

    def calibration(self) -> Batches:
        """The images that criteria and the oracle look at."""
        return self.batches("calibration", self.request.limit or CALIBRATION)

    def splits(self, updates: int) -> Splits:
        """The images that so many updates a step read, or none where there are none at all.

        Raises BadInput if there are images, but none to fine-tune on.
        """
        if self.images is None:
            return {}
        finetune = {"finetune": self.batches("finetune")} if updates else {}
        return {"calibration": self.calibration(), **finetune, "validation": self.batches("validation")}

    def measured_on(self, batches: Batches, stage: Stage | None = None) -> str:
        """One line under every table: n, split, data, seed, device, stage (else the network's own), preprocessing."""
        where = f"Measured on {batches.describe()}, on {self.network.device}, {stage or self.stage}."
        remark = f" {self.network.remark}" if self.network.remark else ""
        return f"{where} Preprocessing: {self.network.preprocessing.describe()}.{remark}"

    def result(self, results: Mapping[str, Any], *batches: Batches, **settings: Any) -> dict[str, Any]:
        """The object that --json writes; `batches` are the images that were read."""
        return {
            "network": self._network(),
            "data": self._data(batches),
            "settings": {**self._settings(), **settings},
            "seconds": time.perf_counter() - self.request.started,
            **results,
        }

    def _network(self) -> dict[str, Any]:
        network = self.network
        return {
            "name": network.name,
            "arch": network.arch,
            "digest": network.digest,
            "classes": list(network.classes),
            "input_shape": list(network.input_shape),
            "remark": network.remark or None,
            "origin": network.origin or None,
            "units": len(network.units),
            "parameters": self.costs.parameters(),
            "flops": self.costs.flops(),
        }

    def _data(self, batches: Sequence[Batches]) -> dict[str, Any] | None:
        if self.images is None:
            return None
        return {
            "name": self.images.name,
            "digest": self.images.digest,
            "splits": {part.split: len(part) for part in batches},
            "images": sum(map(len, batches)),
            "seed": self.images.seed,
            "preprocessing": self.network.preprocessing.to_json(),
            "skipped": list(self.images.skipped),
            "notes": list(self.images.notes),
        }

    def _settings(self) -> dict[str, Any]:
        return {
            "seed": self.seed,
            "limit": self.request.limit,
            "device": str(self.network.device),
            "threads": torch.get_num_threads(),
            "batch_size": self.batch_size,
            **stage_json(self.stage),
            "flops_convention": FLOPS_CONVENTION,
        }


def stage_json(stage: Stage) -> dict[str, Any]:
    """The fields of a stage in --json, among the settings."""
    return {"stage": stage.kind, "fine_tuning_updates": stage.updates}


def open_subject(
    request: Request, *, needs_images: bool = True, reads: str = "", needs_units: bool = False, written: bool = False
) -> Subject:
    """Open network and images; raises BadInput if they can't be opened, don't fit together, or lack what is needed.

    reads: the option that takes the images, for people. written: files will be made of the network, which say how its
    images are prepared, so that this must be known.
    """
    device = choose(request.device)
    with progress(f"Opening {request.network}"):
        found = place(request.network, request.arch)
        run = found.run
        if (needs_images or written) and run is None:  # a run's own file says how its images are prepared
            _check_prepared(request)
        seed = request.seed if request.seed is not None else int(run.data.get("seed", 0)) if run else 0
        where = request.data or (DEMO if request.network in DEMOS else found.images_from)
        if needs_images and not where:
            takes = f", and --{reads} takes some" if reads else ""
            raise BadInput(f"Give --data: on which images {request.network} is to be measured can't be guessed{takes}.")
        prepared = found.preprocessing(request.changes, images=written or where is not None)
        clips = prepared.clips
        images = open_images(where, seed=seed, download=request.download, clips=clips) if where else None
        if images is not None and run is None:
            prepared = found.file.sized(prepared, images)
        network = found.network(prepared).to(device)
        if request.arch and network.arch != request.arch:
            warn(f"{request.network} says itself that it is {network.arch}: --arch {request.arch} is not used.")
        if needs_units:
            check_prunable(network)
        if images is not None:
            tell_account(images)
            network = for_classes(network, images.classes, images.name)
    return Subject(request, network, measure_costs(network), images, found, seed)


def tell_unexportable(network: Network, instead: str) -> None:
    """Warn of a network that can't be exported before any work on it; instead: the sentence on what is kept."""
    if problem := why_no_graph(network.module, network.name):
        warn(f"{problem} {instead}")


def _check_prepared(request: Request) -> None:
    """Only the maker of an architecture knows what its images go through: for one's own there is no default."""
    own = request.arch is not None and split(request.arch, trusted=True)[0] is None
    if own and (request.changes.mean is None or request.changes.std is None):
        raise BadInput(
            f"Give --mean and --std, and --size and --crop where images are resized: how they are prepared for "
            f"{request.arch} can't be known (--mean 0,0,0 --std 1,1,1 leaves values from 0 to 1 as they are)."
        )


def tell_account(images: ImageSet) -> None:
    """Warn of images that are no part of the data, and say how it was read where that is not plain."""
    if account := images.account():
        warn(account)
