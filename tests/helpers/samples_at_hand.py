"""Files that a person might bring: checkpoints, and small sets of images."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from explorer.networks.architectures.families import build

SMALL, SMALL_UNITS = "explorer:vgg_small", 2 * (32 + 64 + 128)
CLASSES = ("bright", "dark")


def checkpoint(arch: str = SMALL, classes: int = 2, seed: int = 0, **options: int) -> bytes:
    """A state dict with random weights."""
    stream = io.BytesIO()
    torch.save(build(arch, classes, seed=seed, **options).state_dict(), stream)
    return stream.getvalue()


def shades(count: int = 40, side: int = 28) -> tuple[np.ndarray, np.ndarray]:
    """Grey images of two classes, 0 bright and 1 dark, and their labels."""
    labels = np.arange(count) % 2
    noise = np.random.default_rng(0).integers(0, 60, (count, side, side))
    return (noise + 150 * (1 - labels)[:, None, None]).astype(np.uint8), labels


def folder_of_shades(folder: Path, count: int = 40, broken: int = 0) -> Path:
    """The same as PNG files, and some that are none."""
    pixels, labels = shades(count)
    for i, (picture, label) in enumerate(zip(pixels, labels, strict=True)):
        path = folder / CLASSES[label] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)
    for i in range(broken):
        (folder / CLASSES[0] / f"broken{i}.png").write_bytes(b"no image")
    return folder
