"""Image sets: labelled images or clips of classes, in splits, decoded when asked for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from explorer.core.text import one_line
from explorer.data.decoding import Clip, decode
from explorer.data.gestures import VERSION, Gesture
from explorer.data.splits import complete_splits, split_indices, stratified_order
from explorer.data.tensors import Picture

FILES_NAMED = 3  # skipped files that a message names

Source = np.ndarray | Sequence[np.ndarray] | Sequence[Path] | Sequence[Clip] | Sequence[Gesture]


@dataclass(frozen=True, eq=False)
class ImageSet:
    """N labelled images, or clips. Every index below is a position in `source` and `labels`."""

    name: str
    source: Source  # arrays of images, or the files that hold them
    labels: np.ndarray  # (N,) int64, positions in `classes`
    classes: tuple[str, ...]
    splits: Mapping[str, np.ndarray]  # disjoint int64 indices, seeded: every prefix has the classes in proportion
    seed: int
    skipped: Mapping[str, str]  # paths of images that were found and are no part of this, with the reason
    digest: str  # SHA-256 of images (files: names and sizes; made: version and seed), labels, classes and splits
    stored_splits: bool = False  # the data itself says which image is for what
    notes: tuple[str, ...] = ()  # sentences on how the data was read, and on what else was there
    found: int = 0  # images, or frames of clips, before any limit: those of this data and those skipped

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def clips(self) -> bool:
        """Whether these are videos: frames in files, or made."""
        return isinstance(self.source[0], Clip | Gesture)

    def image(self, i: int, channels: int = 3) -> Picture:
        """Image i as stored, for a network that reads so many channels; raises BadInput if its file is unreadable.

        An array (H, W) or (H, W, C), or a PIL image of mode L or RGB: see `decode`.

        A clip comes as it is: which of its frames are decoded is up to the preprocessing.
        """
        item = self.source[i]
        return decode(item, channels) if isinstance(item, Path) else item

    def image_name(self, i: int) -> str:
        """The name of image i in messages: its path, or its number in the set."""
        item = self.source[i]
        if isinstance(item, Clip):
            return str(item.folder)
        return str(item) if isinstance(item, Path) else f"image {i} of {self.name}"

    def describe(self) -> str:
        """One line for people."""
        skipped = f", {len(self.skipped)} skipped" if self.skipped else ""
        splits = ", ".join(f"{len(members)} {name}" for name, members in self.splits.items())
        noun = "clips" if self.clips else "images"
        return f"{self.name}: {len(self)} {noun} of {len(self.classes)} classes ({splits}), seed {self.seed}{skipped}"

    def account(self) -> str:
        """One line on the images that are no part of the data and why, and on how it was read; "" if all is plain."""
        left_out = f"{len(self.skipped):,} of {self.found:,} images left out: {_by_reason(self.skipped)}."
        return one_line(" ".join([left_out, *self.notes] if self.skipped else self.notes))


def _by_reason(skipped: Mapping[str, str]) -> str:
    """Each reason with its number and the first of its paths: "unlabelled (2: a.png, b.png); damaged (1: c.png)"."""
    paths: dict[str, list[str]] = {}
    for path, reason in skipped.items():
        paths.setdefault(reason, []).append(path)
    parts = [f"{reason} ({len(each):,}: {first_names(each)})" for reason, each in list(paths.items())[:FILES_NAMED]]
    others = sum(map(len, list(paths.values())[FILES_NAMED:]))
    return "; ".join([*parts, f"other reasons ({others:,})"] if others else parts)


def first_names(names: Sequence[str]) -> str:
    """The first of many names, and how many more there are."""
    return ", ".join(names[:FILES_NAMED]) + (
        f" and {len(names) - FILES_NAMED:,} more" if len(names) > FILES_NAMED else ""
    )


@dataclass(frozen=True, eq=False)
class Labelled:
    """Images or clips with their labels, as they are stored."""

    source: Source
    labels: np.ndarray  # (N,) positions in `classes`
    classes: Sequence[str]
    stored: Mapping[str, np.ndarray] | None = None  # splits that the data itself states: name -> indices

    def limited(self, seed: int, limit: int | None) -> Labelled:
        """At most `limit` images, seeded and stratified by class; where splits are stored, of each as many."""
        if limit is None:
            return self
        parts = {"": np.arange(len(self.labels))} if self.stored is None else self.stored
        kept = {name: np.sort(part[stratified_order(self.labels[part], seed)[:limit]]) for name, part in parts.items()}
        keep = np.sort(np.concatenate(list(kept.values())))
        stored = None if self.stored is None else {name: np.searchsorted(keep, part) for name, part in kept.items()}
        return Labelled(_picked(self.source, keep), self.labels[keep], self.classes, stored)


def _picked(source: Source, keep: np.ndarray) -> Source:
    in_memory = isinstance(source, np.ndarray) and not isinstance(source, np.memmap)
    return source[keep] if in_memory else [source[i] for i in keep]  # type: ignore[call-overload]


@dataclass(frozen=True)
class Account:
    """The images that were left out, path -> reason, and sentences on how the rest was read."""

    skipped: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()


def image_set(
    name: str, labelled: Labelled, *, seed: int, limit: int | None = None, account: Account = Account()
) -> ImageSet:
    """An ImageSet with its splits: seeded ones (see `split_indices`), or those that the data itself states.

    `limit` first keeps a part of the images: see `Labelled.limited`.
    """
    source, skipped = labelled.source, dict(account.skipped)
    frames = [len(item.frames) - 1 for item in source if isinstance(item, Clip)] if isinstance(source, list) else []
    found = len(skipped) + len(source) + sum(frames)
    kept = replace(labelled, labels=labelled.labels.astype(np.int64)).limited(seed, limit)
    stored, classes = kept.stored, tuple(kept.classes)
    splits = split_indices(kept.labels, seed) if stored is None else complete_splits(kept.labels, stored, seed)
    digest, notes = _digest(kept.source, kept.labels, classes, splits), tuple(account.notes)
    return ImageSet(
        name, kept.source, kept.labels, classes, splits, seed, skipped, digest, stored is not None, notes, found
    )


def _digest(source: Source, labels: np.ndarray, classes: Sequence[str], splits: Mapping[str, np.ndarray]) -> str:
    arrays = [source] if isinstance(source, np.ndarray) else [item for item in source if isinstance(item, np.ndarray)]
    files = None if arrays else [_files(item) for item in source]
    shape = (len(source), *source[0].shape) if arrays else None  # type: ignore[union-attr]
    counts = {name: len(members) for name, members in splits.items()}
    digest = hashlib.sha256(json.dumps([files, shape, list(classes), counts]).encode())
    for array in (labels, *splits.values(), *arrays):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def _files(item: Any) -> list[Any]:
    """The part of the digest for an image's file, for every frame of a clip, or for how a clip is made."""
    if isinstance(item, Gesture):
        return [VERSION, item.seed, item.number]
    if isinstance(item, Clip):
        return [_files(frame) for frame in item.frames]
    return [item.parent.name, item.name, item.stat().st_size]
