"""Preparation: what images go through before a network that comes as the bytes of a file, and what a person changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from explorer.core.errors import BadInput
from explorer.data import Preprocessing, override
from explorer.networks.graph.safetensors_file import has_manifest, load_network
from explorer.networks.load import network_from_bytes, the_only
from explorer.networks.network import Network


@dataclass(frozen=True)
class Changes:
    """What a person puts in place of a preprocessing's own values; None leaves a value as it is."""

    size: int | None = None
    crop: int | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    frames: int | None = None

    def apply(self, preprocessing: Preprocessing) -> Preprocessing:
        """The preprocessing with the changes put in; BadInput where no image can be prepared like that."""
        return override(preprocessing, **asdict(self))

    def to_json(self) -> dict[str, Any]:
        """What is changed, as plain values that `changes_from_json` takes back."""
        return {name: value for name, value in asdict(self).items() if value is not None}


UNCHANGED = Changes()


def changes_from_json(data: Mapping[str, Any]) -> Changes:
    """The changes of `to_json`, other keys left aside; TypeError or ValueError for anything malformed."""
    found = {field.name: data.get(field.name) for field in fields(Changes)}
    for name, value in found.items():
        if value is not None:
            found[name] = tuple(map(float, value)) if name in ("mean", "std") else int(value)
    return Changes(**found)


@dataclass(frozen=True)
class Preparation:
    """What images go through before a network, as far as its file tells."""

    preprocessing: Preprocessing
    origin: str  # who says so
    arch: str | None = None  # that a checkpoint belongs to; None for an export, which holds its own graph
    channels: int | None = None  # that the network reads, where those are not the preprocessing's

    def describe(self) -> str:
        """One sentence for people."""
        if self.channels is None:
            return f"{self.preprocessing.describe()} ({self.origin})."
        images = "grey images" if self.channels == 1 else f"images of {self.channels} channels"
        return f"It reads {images}, and how they are normalised can't be known: give mean and std."

    def with_changes(self, changes: Changes) -> Preprocessing:
        """The preprocessing to use; BadInput where what can't be known is not given."""
        if self.channels is not None and (changes.mean is None or changes.std is None):
            raise BadInput(self.describe())
        return changes.apply(self.preprocessing)


def preparation_of(data: bytes, name: str, arch: str | None = None) -> Preparation:
    """What the file's manifest says, or the usual preprocessing of its architecture. BadInput for an unfit file."""
    if name.lower().endswith(".safetensors") and has_manifest(data):
        return Preparation(load_network(data)[1].preprocessing, "as its manifest says")
    from explorer.networks.architectures import families as architectures
    from explorer.networks.architectures import fitting
    from explorer.networks.checkpoints.reading import read_checkpoint

    if arch:
        architectures.split(arch)
    checkpoint = read_checkpoint(data, name)
    arch = arch or the_only(name, fitting.propose(checkpoint))
    usual = usual_preparation(arch)
    channels = fitting.channels_in(arch, checkpoint)
    known = channels in (None, len(usual.preprocessing.mean))
    return Preparation(usual.preprocessing, usual.origin, arch, None if known else channels)


def usual_preparation(arch: str) -> Preparation:
    """The usual preprocessing of an architecture's images; BadInput for unknown names."""
    from explorer.networks.architectures import families as architectures

    architectures.split(arch)
    return Preparation(architectures.preprocessing_for(arch), f"as usual for {arch}", arch)


def open_prepared(data: bytes, name: str, arch: str | None, changes: Changes) -> Network:
    """The network in a file's bytes, for images that are prepared with these changes."""
    if changes == UNCHANGED:
        return network_from_bytes(data, name, arch=arch)
    found = preparation_of(data, name, arch)
    return network_from_bytes(data, name, arch=found.arch, preprocessing=found.with_changes(changes))
