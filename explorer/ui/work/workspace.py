"""Workspace: the network and images that a run is about, opened once and shared by all browser sessions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from explorer.core.errors import BadInput
from explorer.core.files import write_whole
from explorer.data import Batches, Changes, ImageSet, Splits
from explorer.networks.costs import Costs, measure_costs
from explorer.networks.load import CALIBRATION, batches_for, for_classes, network_file
from explorer.networks.network import Network
from explorer.runs import origins
from explorer.runs.origins import Source, open_source
from explorer.runs.store import at_state
from explorer.runs.timeline import Timeline
from explorer.ui.work.uploaded import images_at
from explorer.ui.work.visitors import workdir

VALIDATION = 256  # images that every state is evaluated on
NO_IMAGES = "This run has no images yet: open the network again with images, and what takes them is there."


@dataclass(frozen=True, eq=False)
class WorkImages:
    """The images of a workspace, and the splits that the pages work on."""

    images: ImageSet
    calibration: Batches
    validation: Batches


@dataclass(frozen=True, eq=False)
class Workspace:
    """A network, and its images if there are any; what reads them raises BadInput where there are none."""

    source: Source
    network: Network
    costs: Costs
    given: WorkImages | None

    @property
    def images(self) -> ImageSet:
        """All images."""
        return self._given.images

    @property
    def calibration(self) -> Batches:
        """The images that criteria and the oracle look at."""
        return self._given.calibration

    @property
    def validation(self) -> Batches:
        """The images that loss and accuracy are measured on."""
        return self._given.validation

    @property
    def _given(self) -> WorkImages:
        if self.given is None:
            raise BadInput(NO_IMAGES)
        return self.given

    @property
    def calibrated_on(self) -> str:
        """For captions: on what criteria and the oracle are estimated."""
        if self.given is None:
            return "no images, by the weights alone"
        return f"{self.calibration.describe()}, {self.network.device}"

    @property
    def validated_on(self) -> str:
        """For captions: on what loss and accuracy are measured."""
        if self.given is None:
            return "no images: loss and accuracy are not measured"
        return f"{self.validation.describe()}, {self.network.device}"

    def splits(self, updates: int) -> Splits:
        """The images that so many updates a step read; raises BadInput if there are none for them."""
        if self.given is None and not updates:
            return {}
        finetune = {"finetune": batches_for(self.network, self.images, "finetune")} if updates else {}
        return {"calibration": self.calibration, **finetune, "validation": self.validation}

    @property
    def key(self) -> str:
        """Names everything that results depend on."""
        if self.given is None:
            return f"{self.network.digest}-no-images"
        return f"{self.network.digest}-{self.images.digest}-{len(self.calibration)}-{len(self.validation)}"


@st.cache_resource(max_entries=4, show_spinner=False)
def network_of(
    digest: str, name: str, arch: str | None, changes: Changes, _content: Callable[[], bytes] | None = None
) -> Network:
    """The network of an uploaded file, or of the demo; _content: its bytes, where they are not kept yet."""
    if _content is None:
        return open_source(Source(digest, name, arch, changes=changes), workdir())
    file = network_file(_content(), name, arch=arch)
    return file.network(file.preparation.with_changes(changes))


@st.cache_resource(max_entries=4, show_spinner="Opening network and images")
def open_workspace(source: Source) -> Workspace:
    """The workspace of a source. Raises BadInput if network and images can't be opened or don't fit together."""
    network = network_of(source.network, source.name, source.arch, source.changes)
    if source.data is None:
        return Workspace(source, network, measure_costs(network), None)
    images = images_at(source.data, source.seed, clips=network.preprocessing.clips)
    network = for_classes(network, images.classes, images.name)
    calibration = batches_for(network, images, "calibration", CALIBRATION)
    validation = batches_for(network, images, "validation", VALIDATION)
    return Workspace(source, network, measure_costs(network), WorkImages(images, calibration, validation))


@st.cache_resource(max_entries=8, show_spinner="Reading the weights of this state")
def trained_workspace(key: str, weights: str, _loaded: Workspace, _folder: Path, _timeline: Timeline) -> Workspace:
    """The workspace with the weights of the timeline's current state, which the file `weights` holds."""
    return replace(_loaded, network=at_state(_loaded.network, _timeline, _folder).whole())


def upload_path(digest: str) -> Path:
    """The path of the visitor's uploaded file with this SHA-256."""
    return origins.upload_path(workdir(), digest)


def keep_upload(content: bytes) -> str:
    """Keep checked bytes in the work folder; their SHA-256, which a Source names them by."""
    digest = hashlib.sha256(content).hexdigest()
    write_whole(upload_path(digest), content)
    return digest
