"""Origins: where a run of the app has its network and images from, kept so that they open again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.core.documents import sha256
from explorer.core.errors import BadInput
from explorer.core.files import read_regular
from explorer.data import UNCHANGED, Changes, ImageSet, changes_from_json, open_images
from explorer.data.uploads import kept_images
from explorer.networks.demos import DEMO, DEMOS, saved_source
from explorer.networks.load import NetworkFile, demo_file, network_file
from explorer.networks.network import Network


@dataclass(frozen=True)
class Source:
    """The origin of a network and its images: enough to open them again after a reload or a restart."""

    network: str = DEMO  # or the demo before it, or the SHA-256 of an uploaded file, kept in the work folder
    name: str = DEMO  # of the upload
    arch: str | None = None
    data: str | None = DEMO  # or the reference of uploaded images, see `explorer.data.uploads`; None: no images yet
    seed: int = 0
    changes: Changes = UNCHANGED  # of the preprocessing that the file or its architecture names


def source_to_json(source: Source) -> tuple[dict[str, Any], dict[str, Any]]:
    """The network and data parts of a run."""
    network = {"source": source.network, "name": source.name, "arch": source.arch, **source.changes.to_json()}
    return network, {"source": source.data, "seed": source.seed}


def source_from_json(network: Mapping[str, Any], data: Mapping[str, Any]) -> Source:
    """The source that a run names."""
    try:
        images = data["source"]
        texts = (network["source"], network["name"], network["arch"] or "", "" if images is None else images)
        if not all(isinstance(each, str) for each in texts) or type(data["seed"]) is not int:
            raise TypeError("a name is no text, or the seed no whole number")
        where, name, arch, _ = texts
        where = saved_source(where, network.get("digest"))
        return Source(where, name, arch or None, images, data["seed"], changes_from_json(network))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise BadInput("The saved run does not say which network and images it is about.") from error


def upload_path(workdir: Path, digest: str) -> Path:
    """The path of the uploaded file with this SHA-256 in a work folder."""
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise BadInput("The address names an upload that can't exist: open the network or the images again.")
    return workdir / "uploads" / digest


def read_upload(workdir: Path, digest: str, name: str) -> bytes:
    """The uploaded file of this SHA-256; raises BadInput if it is no longer in the work folder, or not as it was
    uploaded.

    name: of the upload, for messages.
    """
    path = upload_path(workdir, digest)
    try:
        content = read_regular(path)
    except OSError as error:
        raise BadInput(f"{name} is no longer in the work folder; upload it again.") from error
    if sha256(content) != digest:
        raise BadInput(f"{name} is damaged in the work folder ({path}): upload it again.")
    return content


def source_file(source: Source, workdir: Path) -> NetworkFile:
    """The file that a source has its network from; BadInput as `read_upload`, or where it holds no network."""
    if source.network in DEMOS:
        return demo_file(source.network)
    content = read_upload(workdir, source.network, source.name)
    return network_file(content, source.name, arch=source.arch)


def open_source(source: Source, workdir: Path) -> Network:
    """The network of a source, for images that are prepared as it says; BadInput as `source_file`."""
    file = source_file(source, workdir)
    return file.network(file.preparation.with_changes(source.changes))


def open_source_images(data: str, workdir: Path, *, seed: int, clips: bool) -> ImageSet:
    """The images of a source, or of a fine-tuning; BadInput as `open_images`, or where uploaded ones are gone."""
    return open_images(kept_images(data, workdir), seed=seed, clips=clips)
