"""Uploaded: files from a browser, examined as soon as they arrive, before anything is opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from explorer.core.documents import sha256
from explorer.core.errors import BadInput
from explorer.data import ImageSet, uploads
from explorer.data.decoding import decode
from explorer.data.images import Source as Pictures
from explorer.data.viewing import view_note, viewable
from explorer.figures.thumbnail import photo
from explorer.networks.load import ExportFile, network_file
from explorer.networks.preparation import Preparation
from explorer.runs.origins import open_source_images
from explorer.ui.elements.understood import Still
from explorer.ui.work.visitors import workdir

SHOWN = 6  # thumbnails
FRESH = 60.0  # seconds for which a folder on this computer, named by its path, is not looked into again


@dataclass(frozen=True)
class Recognised:
    """The description of an uploaded network file before its network is built."""

    digest: str  # SHA-256 of its bytes
    name: str
    arch: str
    preparation: Preparation
    unsized: bool  # whether images have their own size where nobody says one


@st.cache_data(max_entries=8, show_spinner=False)
def recognised(file: str, name: str, arch: str | None, _uploaded: Any) -> Recognised:
    """What the uploaded file of this id holds; raises BadInput if that is no network, or none that is known."""
    content = _uploaded.getvalue()
    found = network_file(content, name, arch=arch)
    if isinstance(found, ExportFile):
        return Recognised(sha256(content), name, found.manifest.arch, found.preparation, False)
    from explorer.networks.architectures.families import says_size  # late: it imports torchvision

    return Recognised(sha256(content), name, found.arch, found.preparation, not says_size(found.arch))


def keep_images(files: Sequence[Any], *, folder: bool) -> str:
    """The reference under which uploaded images are kept, and stay while a tab shows it; BadInput as they are unpacked.

    files: a .zip or .npz alone, or all files of a `folder`.
    """
    ids = tuple(file.file_id for file in files)
    where = _kept(str(workdir()), ids, folder, files)
    try:
        uploads.touch(where, workdir())
    except BadInput:  # it is no longer needed
        _kept.clear()
        where = _kept(str(workdir()), ids, folder, files)
    return where


@st.cache_data(max_entries=32, show_spinner=False)
def _kept(home: str, ids: tuple[str, ...], folder: bool, _files: Sequence[Any]) -> str:
    if folder:
        return uploads.keep_folder(workdir(), [(file.name, file) for file in _files])
    (file,) = _files
    return uploads.keep_archive(workdir(), file, file.name)


def images_at(where: str, seed: int, *, clips: bool) -> ImageSet:
    """The images of a source; raises BadInput if there are none."""
    opened = _uploaded_images if uploads.referred(where) else _named_images
    return opened(str(workdir()), where, seed, clips)


@st.cache_resource(max_entries=4, show_spinner=False)
def _uploaded_images(home: str, where: str, seed: int, clips: bool) -> ImageSet:
    return open_source_images(where, workdir(), seed=seed, clips=clips)


@st.cache_resource(max_entries=4, ttl=FRESH, show_spinner=False)
def _named_images(home: str, where: str, seed: int, clips: bool) -> ImageSet:
    return open_source_images(where, workdir(), seed=seed, clips=clips)


@st.cache_data(max_entries=8, show_spinner=False)
def thumbnails(digest: str, _images: ImageSet) -> list[Still]:
    """The first image of up to SHOWN classes, or more of each where there are fewer."""
    labels = _images.labels
    rank = np.zeros(len(labels), np.int64)
    for label in range(len(_images.classes)):
        members = np.flatnonzero(labels == label)
        rank[members] = np.arange(len(members))
    chosen = np.lexsort((labels, rank))[:SHOWN]
    shown = [(_pixels(_images.source, int(i)), int(labels[i])) for i in sorted(chosen, key=labels.__getitem__)]
    return [Still(photo(viewable(pixels)), _images.classes[label], view_note(pixels)) for pixels, label in shown]


def _pixels(source: Pictures, i: int) -> np.ndarray:
    """Image i, or the middle frame of clip i; (H, W, C)."""
    item = source[i]
    if not isinstance(item, np.ndarray):
        frame = item.spread(1)[0] if hasattr(item, "spread") else item
        item = np.asarray(frame if isinstance(frame, np.ndarray) else decode(frame))
    return item if item.ndim == 3 else item[:, :, None]
