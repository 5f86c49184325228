"""Batches: one split of an image set as the tensors that a network takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.core.text import counted
from explorer.data.images import ImageSet
from explorer.data.preprocessing import Preprocessing
from explorer.data.splits import stratified_order
from explorer.data.tensors import normalise, still, to_pixels

ALL = "all"
KEPT_BYTES = 256 * 1024**2  # of pixels


@dataclass(frozen=True, eq=False)
class Batches:
    """Re-iterable (x float32 (B, C, H, W), y int64 (B,)) on the CPU, in the split's seeded order.

    Clips give x (B, C, T, H, W), where T is the preprocessing's `frames`.
    `split` "all" means every image; `limit` takes the first that many. Images of at most 256 MiB of pixels in all
    are decoded once and kept as `to_pixels` gives them; more are decoded anew each time. Every batch is a fresh tensor.
    BadInput: unknown or empty split, images of unlike sizes after preprocessing, a file that can't be decoded any
    more or was damaged inside: nothing is left out here, so the same split is always the same images.
    """

    images: ImageSet
    split: str
    preprocessing: Preprocessing
    limit: int | None = None
    size: int = 64  # images a batch
    indices: np.ndarray = field(init=False, repr=False)  # positions in `images`, in order
    _kept: list[list[Tensor]] = field(init=False, repr=False, default_factory=list)

    def __post_init__(self) -> None:
        for name, value in (("limit", self.limit), ("size", self.size)):
            if value is not None and value < 1:
                raise BadInput(f"{name} is {value}: at least 1 image is needed.")
        object.__setattr__(self, "indices", _members(self.images, self.split)[: self.limit])

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the labels, in order."""
        return self.images.classes

    def __len__(self) -> int:
        """The number of images, not of batches."""
        return len(self.indices)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for pixels, chosen in zip(self._pixels(), self._chunks(), strict=True):
            yield normalise(pixels, self.preprocessing), torch.from_numpy(self.images.labels[chosen])

    def picked(self, positions: Sequence[int] | Tensor) -> Batches:
        """Some of these images, in the order of their positions among them."""
        chosen = replace(self)
        object.__setattr__(chosen, "indices", self.indices[np.asarray(positions)])
        return chosen

    def still(self, position: int) -> Tensor:
        """(C, H, W): one image as the network gets it, before `normalise`; of a clip the middle frame."""
        image = self.images.image(int(self.indices[position]), self.preprocessing.channels)
        return still(image, self.preprocessing)

    def describe(self) -> str:
        """A figure's caption on its data: "256 calibration images of demo, seed 0"."""
        split = "" if self.split == ALL else f"{self.split} "
        images = counted(len(self), f"{split}{'clip' if self.images.clips else 'image'}")
        return f"{images} of {self.images.name}, seed {self.images.seed}"

    def _chunks(self) -> list[np.ndarray]:
        return np.split(self.indices, range(self.size, len(self), self.size))

    def _pixels(self) -> Iterator[Tensor]:
        """(B, C, ..., H, W), from memory once all have been decoded."""
        if self._kept:
            yield from self._kept[0]
            return
        decoded = []
        for pixels in self._decoded():
            yield pixels
            if len(self) * pixels[0].nbytes <= KEPT_BYTES:
                decoded.append(pixels)
        self._kept[:] = [decoded] if decoded else []  # whole, in one step: other threads see all or nothing

    def _decoded(self) -> Iterator[Tensor]:
        shape = None
        for chosen in self._chunks():
            pixels = [pixels_of(self.images, i, self.preprocessing) for i in chosen]
            shape = shape or pixels[0].shape
            self._check_shapes(shape, chosen, pixels)
            yield torch.stack(pixels)

    def _check_shapes(self, shape: torch.Size, chosen: np.ndarray, pixels: list[Tensor]) -> None:
        for i, image in zip(chosen, pixels, strict=True):
            if image.shape != shape:
                first, this = (self.images.image_name(j) for j in (self.indices[0], i))
                raise BadInput(
                    f"{first} is {shape[-1]}x{shape[-2]} and {this} {image.shape[-1]}x{image.shape[-2]} pixels after "
                    "preprocessing: give --size and --crop, so that all images come out alike."
                )


def pixels_of(images: ImageSet, i: int, preprocessing: Preprocessing) -> Tensor:
    """(C, ..., H, W): image i, or clip i, before `normalise`; BadInput names it."""
    image = images.image(i, preprocessing.channels)
    try:
        return to_pixels(image, preprocessing)
    except BadInput as error:
        raise BadInput(f"{images.image_name(i)}: {error}") from error


def _members(images: ImageSet, split: str) -> np.ndarray:
    if split == ALL:
        return stratified_order(images.labels, images.seed)
    if split not in images.splits:
        dealt = ": give a folder of classes without splits, which is dealt into them" if images.stored_splits else ""
        raise BadInput(f"{images.name} has no split {split!r}, but {', '.join([*images.splits, ALL])}{dealt}.")
    if not len(images.splits[split]):
        raise BadInput(f"the {split} split of {images.name} is empty: {len(images)} images are too few for all splits.")
    return images.splits[split]


Splits = Mapping[str, Batches]
"""The images by what they are for: "calibration", "validation", and "finetune" where there are updates."""
