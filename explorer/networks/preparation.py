"""Preparation: the preprocessing of a network's images, as far as its file or its architecture tells."""

from __future__ import annotations

from dataclasses import dataclass, replace

from explorer.core.errors import BadInput
from explorer.core.text import counted
from explorer.data import Changes, ImageSet, Preprocessing, pixels_of

LOOKED_AT = 32  # images whose sizes are compared


@dataclass(frozen=True)
class Preparation:
    """The preprocessing of a network's images, as far as its file tells."""

    preprocessing: Preprocessing
    origin: str  # the source of this knowledge
    channels: int | None = None  # that the network reads, where those are not the preprocessing's
    reads: int | None = None  # channels of its first layer, where there is one to look at

    def describe(self) -> str:
        """One sentence for people."""
        if self.channels is None:
            return f"{self.preprocessing.describe()} ({self.origin})."
        images = "grey images" if self.channels == 1 else f"images of {self.channels} channels"
        return f"The network reads {images}, and how they are normalised can't be known: give mean and std."

    def with_changes(self, changes: Changes, *, images: bool = True) -> Preprocessing:
        """The preprocessing to use; raises BadInput if what can't be known is not given, if there are images."""
        if self.channels is not None and (changes.mean is None or changes.std is None):
            if images:
                raise BadInput(self.describe())
            changes = replace(changes, mean=(0.0,) * self.channels, std=(1.0,) * self.channels)
        prepared = changes.apply(self.preprocessing)
        if self.reads not in (None, prepared.channels):
            raise BadInput(
                f"mean and std have {counted(prepared.channels, 'value')}, but the first layer of the network reads "
                f"{counted(self.reads or 0, 'channel')}: give one value a channel."
            )
        return prepared


def usual_preparation(arch: str, trusted: bool = False) -> Preparation:
    """The usual preprocessing of an architecture's images; raises BadInput for unknown names, own ones if not
    `trusted`.
    """
    from explorer.networks.architectures import families as architectures  # late: it imports torchvision

    architectures.split(arch, trusted)
    return Preparation(architectures.preprocessing_for(arch), f"as usual for {arch}")


def sized(arch: str, preprocessing: Preprocessing, images: ImageSet) -> Preprocessing:
    """The preprocessing with the images' own size, where neither it nor the architecture says one.

    Raises BadInput if they have several sizes, or are no squares.
    """
    from explorer.networks.architectures import families as architectures

    if preprocessing.size or preprocessing.crop or preprocessing.clips or architectures.says_size(arch):
        return preprocessing
    looked_at = range(0, len(images), max(1, len(images) // LOOKED_AT))
    sides = {tuple(pixels_of(images, at, preprocessing).shape[1:]) for at in looked_at}
    if len(sides) == 1 and len(set(min(sides))) == 1:
        return replace(preprocessing, crop=min(sides)[0])
    found = ", ".join("x".join(map(str, each)) for each in sorted(sides)[:3])
    raise BadInput(
        f"The images of {images.name} are of {found} pixels, and which size {arch} takes can't be known: give a size "
        "and a crop."
    )
