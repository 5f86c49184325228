"""The paper's own settings in miniature: tiny pictures in the layout of the published data sets, untrained weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import scipy.io
import torch
from PIL import Image
from torchvision import models

from explorer.study.papers import Paper, weights_path

PARTS = {"trnid": 6, "valid": 4, "tstid": 2}  # images of Flowers-102
SPECIES = ("001.Black_footed_Albatross", "002.Laysan_Albatross")
EACH, IDS = 6, 1000  # birds of each species; ImageNet's classes
SIDES = {"torchvision:alexnet": "64", "torchvision:vgg16": "32"}  # pixels, the fewest that they take


def at_hand(paper: Paper, root: Path) -> list[str]:
    """The words that study a setting whose images and weights are put where it looks for them.

    root: PRUNING_EXPLORER_DATA; the weights go where torch.hub.get_dir() says.
    """
    if not weights_path(paper).is_file():
        _weights(paper)
    folder = {"flowers": flowers, "birds": birds, "imagenet": imagenet}[paper.name.rpartition("-")[2]](root)
    side = SIDES[paper.arch]
    return ["study", paper.name, *([] if paper.images else ["--data", str(folder)]), "--size", side, "--crop", side]


def flowers(root: Path) -> Path:
    """flowers-102/ as torchvision unpacks it: pictures in one folder, labels and parts in MATLAB files, from 1."""
    folder, count = root / "flowers-102", sum(PARTS.values())
    _pictures(folder / "jpg", [f"image_{number:05d}.jpg" for number in range(1, count + 1)])
    scipy.io.savemat(folder / "imagelabels.mat", {"labels": np.arange(count) % 3 + 1})
    numbers = np.split(np.arange(1, count + 1), np.cumsum(list(PARTS.values()))[:-1])
    scipy.io.savemat(folder / "setid.mat", dict(zip(PARTS, numbers, strict=True)))
    return folder


def birds(root: Path) -> Path:
    """CUB_200_2011/ as its archive unpacks, with lists beside the pictures; the folder of these."""
    folder = root / "CUB_200_2011" / "images"
    names = [f"{label}/{label[4:]}_{number:04d}_796.jpg" for label in SPECIES for number in range(1, EACH + 1)]
    _pictures(folder, names)
    lines = {"images": names, "train_test_split": ["1"] * len(names), "image_class_labels": ["1"] * len(names)}
    for name, values in lines.items():
        text = "".join(f"{number} {value}\n" for number, value in enumerate(values, 1))
        (folder.parent / f"{name}.txt").write_text(text)
    return folder


def imagenet(root: Path) -> Path:
    """val/ as torchvision's ImageNet unpacks it: a folder a WordNet id, pictures called .JPEG."""
    ids = [f"n{1_440_764 + number:08d}" for number in range(IDS)]
    _pictures(root / "val", [f"{each}/ILSVRC2012_val_{number:08d}.JPEG" for number, each in enumerate(ids, 1)])
    return root / "val"


def _weights(paper: Paper) -> None:
    path = weights_path(paper)
    path.parent.mkdir(parents=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        torch.save(getattr(models, paper.arch.removeprefix("torchvision:"))().state_dict(), path)


def _pictures(folder: Path, names: Sequence[str]) -> None:
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        pixels: Any = np.random.default_rng(number).integers(0, 256, (12, 16, 3), np.uint8)
        Image.fromarray(pixels).save(folder / name)
