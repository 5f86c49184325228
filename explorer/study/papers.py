"""The paper's own settings by name: network, data and training, where weights and images are on the disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch

from explorer.core.errors import BadInput
from explorer.data import open_images
from explorer.study.presets import Preset
from explorer.study.published import LIKE
from explorer.training.finetune import Recipe

OF = " of "  # between the names of a preset and of a setting
FLOWERS, BIRDS, IMAGENET = "Oxford Flowers-102", "Caltech-UCSD Birds-200", "ImageNet"
BIRDS_FROM = (
    "where there is internet, this gets them and goes on: "
    "curl -L https://data.caltech.edu/records/65de6-vp158/files/CUB_200_2011.tgz | tar -xz &&"
)
IMAGENET_FROM = (
    "image-net.org gives them to those who sign up; with FOLDER for the folder that has a sub-folder for each class "
    "(WordNet id), this goes on:"
)

Fetches = Callable[[str | None], str]
"""From the folder of the images, if it must be named, to the command that gets what is missing where it can."""


@dataclass(frozen=True)
class Paper:
    """One setting of the paper."""

    name: str
    arch: str
    data: str
    images: str | None  # where the data comes from; None: a folder that must be given
    origin: str  # where people get that folder
    folder: str  # what it is called then
    like: str  # the row of Table 1 that it is
    updates: int  # after each step
    epochs: int = 0  # of fine-tuning to the data first; 0: the published weights are for it already
    learning_rate: float = 1e-4  # of that fine-tuning

    def fitted(self, preset: Preset) -> Preset:
        """A preset with the paper's training: its number of updates a step, and its recipe."""
        compared = tuple(sorted({*preset.compared, self.updates}))
        name = f"{preset.name}{OF}{self.name}"
        return replace(preset, name=name, updates=self.updates, compared=compared, recipe=Recipe())


PAPERS = {
    paper.name: paper
    for paper in (
        Paper(
            name="alexnet-flowers",
            arch="torchvision:alexnet",
            data=FLOWERS,
            images="torchvision:Flowers102",
            origin="",
            folder="",
            like="AlexNet / Flowers-102",
            updates=10,
            epochs=20,
            learning_rate=1e-3,
        ),
        Paper(
            name="vgg16-flowers",
            arch="torchvision:vgg16",
            data=FLOWERS,
            images="torchvision:Flowers102",
            origin="",
            folder="",
            like="VGG-16 / Flowers-102",
            updates=10,
            epochs=20,
            learning_rate=1e-3,
        ),
        Paper(
            name="alexnet-birds",
            arch="torchvision:alexnet",
            data=BIRDS,
            images=None,
            origin=BIRDS_FROM,
            folder="CUB_200_2011/images",
            like="AlexNet / Birds-200",
            updates=30,
            epochs=60,
        ),
        Paper(
            name="vgg16-birds",
            arch="torchvision:vgg16",
            data=BIRDS,
            images=None,
            origin=BIRDS_FROM,
            folder="CUB_200_2011/images",
            like="VGG-16 / Birds-200",
            updates=30,
            epochs=60,
        ),
        Paper(
            name="alexnet-imagenet",
            arch="torchvision:alexnet",
            data=IMAGENET,
            images=None,
            origin=IMAGENET_FROM,
            folder="FOLDER",
            like="AlexNet / ImageNet",
            updates=30,
        ),
        Paper(
            name="vgg16-imagenet",
            arch="torchvision:vgg16",
            data=IMAGENET,
            images=None,
            origin=IMAGENET_FROM,
            folder="FOLDER",
            like="VGG-16 / ImageNet",
            updates=30,
        ),
    )
}
"""Name on the command line -> the setting."""


def like(about: Mapping[str, Any]) -> str:
    """The row of the paper's Table 1 that a study is of, or the one that others stand beside.

    about: what a study's folder keeps.
    """
    paper = PAPERS.get(str(about["settings"].get("preset")).rpartition(OF)[2])
    return paper.like if paper else LIKE


def weights_path(paper: Paper) -> Path:
    """Where torchvision keeps the published ImageNet weights of the architecture."""
    from torchvision.models import get_model_weights  # late, as it takes seconds

    url: str = get_model_weights(paper.arch.removeprefix("torchvision:")).DEFAULT.url
    return Path(torch.hub.get_dir()) / "checkpoints" / os.path.basename(urlsplit(url).path)  # noqa: PTH119


def images_of(paper: Paper, given: str | None, fetches: Fetches) -> str:
    """The place of the images. Raises BadInput, with the command that gets them, if none is given."""
    if given or paper.images:
        return str(given or paper.images)
    raise BadInput(
        f"{paper.name} needs the images of {paper.data}, which torchvision does not fetch: {paper.origin} "
        f"{fetches(paper.folder)}"
    )


def check_at_hand(paper: Paper, where: str, fetches: Fetches) -> None:
    """Raise BadInput if weights or images are not on the disk, with the one command that gets them."""
    missing = []
    path = weights_path(paper)
    if not path.is_file():
        missing.append(f"the published weights of {paper.arch} ({path})")
    if where == paper.images:
        try:
            open_images(where, limit=1)
        except BadInput:
            missing.append(f"the images of {paper.data} ({where})")
    if missing:
        raise BadInput(
            f"{paper.name} needs {' and '.join(missing)}, not on this disk; where there is internet, this gets "
            f"{'it' if len(missing) == 1 else 'them'} and goes on: {fetches(None if where == paper.images else where)}"
        )
