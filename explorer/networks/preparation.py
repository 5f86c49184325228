"""Preparation: what images go through before a network, as far as its file or its architecture tells."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.core.errors import BadInput
from explorer.data import Changes, Preprocessing


@dataclass(frozen=True)
class Preparation:
    """What images go through before a network, as far as its file tells."""

    preprocessing: Preprocessing
    origin: str  # who says so
    channels: int | None = None  # that the network reads, where those are not the preprocessing's

    def describe(self) -> str:
        """One sentence for people."""
        if self.channels is None:
            return f"{self.preprocessing.describe()} ({self.origin})."
        images = "grey images" if self.channels == 1 else f"images of {self.channels} channels"
        return f"The network reads {images}, and how they are normalised can't be known: give mean and std."

    def with_changes(self, changes: Changes) -> Preprocessing:
        """The preprocessing to use; BadInput where what can't be known is not given."""
        if self.channels is not None and (changes.mean is None or changes.std is None):
            raise BadInput(self.describe())
        return changes.apply(self.preprocessing)


def usual_preparation(arch: str, trusted: bool = False) -> Preparation:
    """The usual preprocessing of an architecture's images; BadInput for unknown names, own ones if not `trusted`."""
    from explorer.networks.architectures import families as architectures  # late: it imports torchvision

    architectures.split(arch, trusted)
    return Preparation(architectures.preprocessing_for(arch), f"as usual for {arch}")
