"""Workspace: the network and images that a run is about, opened once and shared by all browser sessions."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import streamlit as st

from explorer.costs import Costs, measure_costs
from explorer.data import Batches, ImageSet, open_images
from explorer.errors import BadInput
from explorer.export.files import write_whole
from explorer.load import CALIBRATION, DEMO, batches_for, for_classes, open_network
from explorer.networks.network import Network
from explorer.preparation import UNCHANGED, Changes, changes_from_json, open_prepared
from explorer.runs import network_at
from explorer.timeline import Timeline

VALIDATION = 256  # images that every state is evaluated on


@dataclass(frozen=True)
class Source:
    """Where a workspace comes from: enough to open it again after a reload or a restart."""

    network: str = DEMO  # or the SHA-256 of an uploaded file, kept in the work folder
    name: str = DEMO  # what the upload was called
    arch: str | None = None
    data: str = DEMO
    seed: int = 0
    changes: Changes = UNCHANGED  # of the preprocessing that the file or its architecture names


@dataclass(frozen=True, eq=False)
class Workspace:
    """A network, its images, and the splits that the pages work on."""

    source: Source
    network: Network
    costs: Costs
    images: ImageSet
    calibration: Batches
    validation: Batches

    @property
    def calibrated_on(self) -> str:
        """For captions: on what criteria and the oracle are estimated."""
        return f"{self.calibration.describe()}, {self.network.device}"

    @property
    def validated_on(self) -> str:
        """For captions: on what loss and accuracy are measured."""
        return f"{self.validation.describe()}, {self.network.device}"

    @property
    def key(self) -> str:
        """Names everything that results depend on."""
        return f"{self.network.digest}-{self.images.digest}-{len(self.calibration)}-{len(self.validation)}"


def workdir() -> Path:
    """The folder of uploads, runs and results."""
    return Path(os.environ.get("PRUNING_EXPLORER_WORKDIR", "~/.pruning-explorer")).expanduser()


@st.cache_resource(max_entries=4, show_spinner="Opening network and images")
def open_workspace(source: Source) -> Workspace:
    """The workspace of a source; raises BadInput where network and images can't be opened or don't fit together."""
    network = _network(source)
    images = open_images(source.data, seed=source.seed)
    network = for_classes(network, images.classes, images.name)
    calibration = batches_for(network, images, "calibration", CALIBRATION)
    validation = batches_for(network, images, "validation", VALIDATION)
    return Workspace(source, network, measure_costs(network), images, calibration, validation)


@st.cache_resource(max_entries=8, show_spinner="Reading the weights of this state")
def trained_workspace(key: str, weights: str, _loaded: Workspace, _folder: Path, _timeline: Timeline) -> Workspace:
    """The workspace with the weights of the timeline's current state, which the file `weights` holds."""
    return replace(_loaded, network=network_at(_loaded.network, _timeline, _folder))


def _network(source: Source) -> Network:
    if source.network == DEMO:
        return open_network(DEMO)
    path = upload_path(source.network)
    if not path.is_file():
        raise BadInput(f"{source.name} is no longer in the work folder; upload it again.")
    return open_prepared(path.read_bytes(), source.name, source.arch, source.changes)


def upload_path(digest: str) -> Path:
    """Where an uploaded file of this SHA-256 is kept."""
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise BadInput("The address names an upload that can't exist.")
    return workdir() / "uploads" / digest


def keep_upload(content: bytes) -> str:
    """Keep checked bytes in the work folder; their SHA-256, which a Source names them by."""
    digest = hashlib.sha256(content).hexdigest()
    write_whole(upload_path(digest), content)
    return digest


def source_to_json(source: Source) -> tuple[dict[str, Any], dict[str, Any]]:
    """The network and data parts of a run."""
    network = {"source": source.network, "name": source.name, "arch": source.arch, **source.changes.to_json()}
    return network, {"source": source.data, "seed": source.seed}


def source_from_json(network: Mapping[str, Any], data: Mapping[str, Any]) -> Source:
    """The source that a run names."""
    try:
        arch, changes = network["arch"], changes_from_json(network)
        return Source(
            str(network["source"]), str(network["name"]), arch and str(arch), str(data["source"]), int(data["seed"]),
            changes,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise BadInput("The saved run does not say which network and images it is about.") from error
