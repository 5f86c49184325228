"""Image sets: labelled images of classes, in splits, decoded when asked for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from explorer.data.splits import complete_splits, split_indices, stratified_order
from explorer.data.tensors import MAX_PIXELS, Picture
from explorer.errors import BadInput

FORMATS = ("JPEG", "PNG", "WEBP")


@dataclass(frozen=True, eq=False)
class ImageSet:
    """N labelled images. Every index below is a position in `source` and `labels`."""

    name: str
    source: np.ndarray | Sequence[np.ndarray] | Sequence[Path]  # uint8 images, or the files that hold them
    labels: np.ndarray  # (N,) int64, positions in `classes`
    classes: tuple[str, ...]
    splits: Mapping[
        str, np.ndarray
    ]  # disjoint int64 indices in seeded order: every prefix has the classes in proportion
    seed: int
    skipped: tuple[str, ...]  # paths that could not be read, and class folders without an image
    digest: str  # SHA-256 of images (for files: names and sizes), labels, classes and splits
    stored_splits: bool = False  # the data itself says which image is for what

    def __len__(self) -> int:
        return len(self.labels)

    def image(self, i: int) -> Picture:
        """Image i as stored: a uint8 array, or a PIL image of mode L or RGB; BadInput if its file is unreadable."""
        item = self.source[i]
        return item if isinstance(item, np.ndarray) else decode(item)

    def image_name(self, i: int) -> str:
        """What a message calls image i: its path, or its number in the set."""
        item = self.source[i]
        return f"image {i} of {self.name}" if isinstance(item, np.ndarray) else str(item)

    def describe(self) -> str:
        """One line for people."""
        skipped = f", {len(self.skipped)} skipped" if self.skipped else ""
        splits = ", ".join(f"{len(members)} {name}" for name, members in self.splits.items())
        return f"{self.name}: {len(self)} images of {len(self.classes)} classes ({splits}), seed {self.seed}{skipped}"


def image_set(
    name: str,
    source: np.ndarray | Sequence[Path],
    labels: np.ndarray,
    classes: Sequence[str],
    *,
    seed: int,
    limit: int | None = None,
    stored: Mapping[str, np.ndarray] | None = None,
    skipped: Sequence[str] = (),
) -> ImageSet:
    """An ImageSet with its splits: seeded ones (see `split_indices`), or those that the data itself states.

    `limit` first keeps a seeded, class-stratified subset of at most that many images; where splits are stored,
    at most that many of each.
    """
    labels = labels.astype(np.int64)
    if limit is not None:
        source, labels, stored = _limited(source, labels, stored, seed, limit)
    splits = split_indices(labels, seed) if stored is None else complete_splits(labels, stored, seed)
    digest = _digest(source, labels, classes, splits)
    return ImageSet(name, source, labels, tuple(classes), splits, seed, tuple(skipped), digest, stored is not None)


def decode(path: Path) -> Image.Image:
    """The image of a file, mode L or RGB (an alpha channel is dropped); BadInput names the path."""
    with _opened(path) as image:
        return image.convert("L" if image.mode in ("1", "L", "LA") else "RGB")


def has_header(path: Path) -> bool:
    """Whether the file starts like an image that `decode` takes; its pixels are not read."""
    try:
        with _opened(path):
            return True
    except BadInput:
        return False


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        with Image.open(path, formats=FORMATS) as image:
            _check_header(path, image)
            yield image
    except BadInput:
        raise
    except (UnidentifiedImageError, FileNotFoundError, PermissionError) as error:
        reason = "it is no JPEG, PNG or WebP image" if isinstance(error, UnidentifiedImageError) else error.strerror
        raise BadInput(f"image {path} can't be read: {reason}.") from error
    except Exception as error:  # decoders of damaged bytes raise errors of nearly every kind
        raise BadInput(f"image {path} can't be read: {str(error).rstrip('.') or type(error).__name__}.") from error


def _check_header(path: Path, image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise BadInput(
            f"image {path} has {image.width}x{image.height} pixels: at most {MAX_PIXELS // 10**6} megapixels are read."
        )
    if image.mode.startswith(("I", "F")):
        raise BadInput(f"image {path} has more than 8 bits a channel: images must have 8.")


def _limited(
    source: np.ndarray | Sequence[Path],
    labels: np.ndarray,
    stored: Mapping[str, np.ndarray] | None,
    seed: int,
    limit: int,
) -> tuple[np.ndarray | Sequence[Path], np.ndarray, Mapping[str, np.ndarray] | None]:
    parts = {"": np.arange(len(labels))} if stored is None else stored
    kept = {name: np.sort(part[stratified_order(labels[part], seed)[:limit]]) for name, part in parts.items()}
    keep = np.sort(np.concatenate(list(kept.values())))
    remapped = None if stored is None else {name: np.searchsorted(keep, part) for name, part in kept.items()}
    return source[keep] if isinstance(source, np.ndarray) else [source[i] for i in keep], labels[keep], remapped


def _digest(
    source: np.ndarray | Sequence[Path], labels: np.ndarray, classes: Sequence[str], splits: Mapping[str, np.ndarray]
) -> str:
    files = None if isinstance(source, np.ndarray) else [(p.parent.name, p.name, p.stat().st_size) for p in source]
    shape = source.shape if isinstance(source, np.ndarray) else None
    counts = {name: len(members) for name, members in splits.items()}
    digest = hashlib.sha256(json.dumps([files, shape, list(classes), counts]).encode())
    for array in (labels, *splits.values(), *([source] if isinstance(source, np.ndarray) else [])):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
