"""Framing: how the images that a network learned from lie in their frame, and a drawing put into it like them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PIL import Image

INK = 8  # levels of 255 by which ink differs from the ground
EVEN = 0.95  # of the outermost pixels that have the ground's level, where the ground is even
SPREAD = 1.1  # pixels within which the middle nine tenths of the images lie alike
ALIKE = 0.55  # pixels from the usual size and place at which a drawing is left as it is


@dataclass(frozen=True)
class Framing:
    """The size and the place of what images show, where these are the same in nearly all of them; pixels."""

    extent: float  # the longer side of the ink's box
    row: float  # from the top to the ink's centre of mass
    column: float  # from the left

    def fits(self, ink: Ink) -> bool:
        """Whether this lies like the images."""
        off = (max(ink.height, ink.width) - self.extent, ink.row - self.row, ink.column - self.column)
        return max(map(abs, off)) <= ALIKE


@dataclass(frozen=True)
class Habits:
    """What the images that a network learned from have in common."""

    ground: int = 255  # the level around what they show, 0 to 255
    framing: Framing | None = None  # None where size or place differ, or the ground is not even


class Ink(NamedTuple):
    """The box of what differs from the ground, and its centre of mass; pixels from the top left corner."""

    top: float
    left: float
    height: float
    width: float
    row: float
    column: float

    def scaled(self, by: float) -> Ink:
        """The same where a pixel is so many."""
        return Ink(self.top * by, self.left * by, self.height * by, self.width * by, self.row * by, self.column * by)


def habits(images: np.ndarray) -> Habits:
    """The habits of images (N, H, W) uint8: framed alike if the middle nine tenths of them differ by SPREAD at most."""
    edges = np.concatenate([images[:, (0, -1)].ravel(), images[:, :, (0, -1)].ravel()]).astype(int)
    ground = int(np.median(edges))
    found = [ink for ink in (ink_of(image, ground) for image in images) if ink]
    if np.mean(abs(edges - ground) <= INK) < EVEN or len(found) < 2:
        return Habits(ground)
    placed = [(max(ink.height, ink.width), ink.row, ink.column) for ink in found]
    low, middle, high = np.quantile(placed, (0.05, 0.5, 0.95), axis=0)
    return Habits(ground, Framing(*middle.round(1).tolist()) if (high - low <= SPREAD).all() else None)


def ink_of(image: np.ndarray, ground: int) -> Ink | None:
    """The ink of an image (H, W) uint8; None where all of it is ground."""
    ink = abs(image.astype(float) - ground)
    rows, columns = (np.flatnonzero((ink > INK).any(axis)) for axis in (1, 0))
    if not len(rows):
        return None
    row, column = (ink.sum(axis) @ (np.arange(ink.shape[1 - axis]) + 0.5) / ink.sum() for axis in (1, 0))
    top, left = int(rows[0]), int(columns[0])
    return Ink(top, left, int(rows[-1]) - top + 1, int(columns[-1]) - left + 1, float(row), float(column))


def averaged(canvas: np.ndarray, height: int, width: int) -> np.ndarray:
    """uint8 (height, width, C) of a canvas (k * height, k * width, C): the mean of each k x k pixels."""
    tiles = canvas.reshape(height, len(canvas) // height, width, canvas.shape[1] // width, -1)
    return np.asarray(np.rint(tiles.mean((1, 3))), np.uint8)


def framed(image: np.ndarray, height: int, width: int, usual: Habits) -> np.ndarray | None:
    """uint8 (height, width): what an image (H, W) shows, put into the frame as the images are; None where it is empty.

    It is scaled to the framing's extent by the mean over areas, and moved by whole pixels until its centre of mass is
    where theirs is, as far as the frame goes. The side ratio stays.
    """
    ink, framing = ink_of(image, usual.ground), usual.framing
    if ink is None or framing is None:
        return None
    scale = framing.extent / max(ink.height, ink.width)
    size = [min(max(1, round(side * scale)), most) for side, most in ((ink.width, width), (ink.height, height))]
    box = image[int(ink.top) :, int(ink.left) :][: int(ink.height), : int(ink.width)]
    small = np.asarray(Image.fromarray(box).resize(size, Image.Resampling.BOX))
    found = ink_of(small, usual.ground) or Ink(0, 0, size[1], size[0], size[1] / 2, size[0] / 2)
    top = min(max(0, round(framing.row - found.row)), height - small.shape[0])
    left = min(max(0, round(framing.column - found.column)), width - small.shape[1])
    page = np.full((height, width), usual.ground, np.uint8)
    page[top : top + small.shape[0], left : left + small.shape[1]] = small
    return page
