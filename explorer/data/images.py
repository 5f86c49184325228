"""Image sets: labelled images or clips of classes, in splits, decoded when asked for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from explorer.core.text import one_line
from explorer.data.decoding import Clip, decode
from explorer.data.gestures import VERSION, Gesture
from explorer.data.splits import complete_splits, split_indices, stratified_order
from explorer.data.tensors import Picture

SHOWN = 3  # skipped files that a message names

Source = np.ndarray | Sequence[np.ndarray] | Sequence[Path] | Sequence[Clip] | Sequence[Gesture]


@dataclass(frozen=True, eq=False)
class ImageSet:
    """N labelled images, or clips. Every index below is a position in `source` and `labels`."""

    name: str
    source: Source  # uint8 images, or the files that hold them
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

    def image(self, i: int) -> Picture:
        """Image i as stored: a uint8 array, or a PIL image of mode L or RGB; BadInput if its file is unreadable.

        A clip comes as it is: which of its frames are decoded is up to the preprocessing.
        """
        item = self.source[i]
        return decode(item) if isinstance(item, Path) else item

    def image_name(self, i: int) -> str:
        """What a message calls image i: its path, or its number in the set."""
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
    parts = [f"{reason} ({len(each):,}: {some(each)})" for reason, each in list(paths.items())[:SHOWN]]
    others = sum(map(len, list(paths.values())[SHOWN:]))
    return "; ".join([*parts, f"other reasons ({others:,})"] if others else parts)


def some(names: Sequence[str]) -> str:
    """The first of many names, and how many more there are."""
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else "")


def image_set(
    name: str,
    source: Source,
    labels: np.ndarray,
    classes: Sequence[str],
    *,
    seed: int,
    limit: int | None = None,
    stored: Mapping[str, np.ndarray] | None = None,
    skipped: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
) -> ImageSet:
    """An ImageSet with its splits: seeded ones (see `split_indices`), or those that the data itself states.

    `limit` first keeps a seeded, class-stratified subset of at most that many images; where splits are stored,
    at most that many of each.
    """
    labels, skipped = labels.astype(np.int64), dict(skipped or {})
    frames = [len(item.frames) - 1 for item in source if isinstance(item, Clip)] if isinstance(source, list) else []
    found = len(skipped) + len(source) + sum(frames)
    if limit is not None:
        source, labels, stored = _limited(source, labels, stored, seed, limit)
    splits = split_indices(labels, seed) if stored is None else complete_splits(labels, stored, seed)
    digest = _digest(source, labels, classes, splits)
    return ImageSet(
        name, source, labels, tuple(classes), splits, seed, skipped, digest, stored is not None, tuple(notes), found
    )


def _limited(
    source: Source, labels: np.ndarray, stored: Mapping[str, np.ndarray] | None, seed: int, limit: int
) -> tuple[Source, np.ndarray, Mapping[str, np.ndarray] | None]:
    parts = {"": np.arange(len(labels))} if stored is None else stored
    kept = {name: np.sort(part[stratified_order(labels[part], seed)[:limit]]) for name, part in parts.items()}
    keep = np.sort(np.concatenate(list(kept.values())))
    remapped = None if stored is None else {name: np.searchsorted(keep, part) for name, part in kept.items()}
    in_memory = isinstance(source, np.ndarray) and not isinstance(source, np.memmap)
    return source[keep] if in_memory else [source[i] for i in keep], labels[keep], remapped  # type: ignore[call-overload]


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
    """What the digest knows of an image's file, of every frame of a clip, or of how a clip is made."""
    if isinstance(item, Gesture):
        return [VERSION, item.seed, item.number]
    if isinstance(item, Clip):
        return [_files(frame) for frame in item.frames]
    return [item.parent.name, item.name, item.stat().st_size]
