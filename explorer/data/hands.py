"""Hands: a palm and five fingers, drawn from where they are in each frame; the pictures of the synthetic gestures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SIDE = 64  # pixels
FIST = 0.9  # length of a finger of a fist, from the middle of the palm, in radii of the palm
FINGERS = ((-1.2, 1.6, 0.28), (-0.5, 2.1, 0.25), (-0.13, 2.3, 0.25), (0.24, 2.2, 0.25), (0.62, 1.8, 0.22))
"""Each finger's angle from the hand's own up (radians), reach from the middle of the palm and radius (palm's radii)."""


@dataclass(frozen=True, eq=False)
class Pose:
    """The pose of the hand in each of T frames; every entry (T,)."""

    x: np.ndarray  # of the palm's middle: 0 the picture's left edge, 1 its right
    y: np.ndarray  # 0 its upper edge, 1 its lower
    turn: np.ndarray  # radians, clockwise
    size: np.ndarray  # the palm's radius: 1 is the picture's side
    open: np.ndarray  # 0 a fist, 1 all fingers stretched
    right: bool = True  # which hand it is: the thumb's side


def coverage(pose: Pose, side: int = SIDE) -> np.ndarray:
    """(T, side, side) float32: how much of each pixel the hand covers, 0 to 1; its edge is one pixel wide."""
    turn, size, stretched = (value.astype(np.float32)[:, None, None] for value in (pose.turn, pose.size, pose.open))
    across, down = _from_middle(pose, side)
    u = (np.cos(turn) * across + np.sin(turn) * down) / size * (1 if pose.right else -1)
    v = (np.cos(turn) * down - np.sin(turn) * across) / size
    square = u * u + v * v
    outside = np.sqrt(square) - 1
    for angle, reach, radius in FINGERS:
        length = FIST + stretched * (reach - FIST)
        along = u * np.float32(np.sin(angle)) - v * np.float32(np.cos(angle))
        nearest = np.clip(along, 0, length)  # on the finger's bone, from the middle of the palm
        distance = np.sqrt(np.maximum(square + nearest * (nearest - 2 * along), 0))
        np.minimum(outside, distance - np.float32(radius), out=outside)
    covered: np.ndarray = np.clip(0.5 - outside * size * side, 0, 1)
    return covered


def _from_middle(pose: Pose, side: int) -> tuple[np.ndarray, np.ndarray]:
    """The distance of each column (T, 1, side) and row (T, side, 1) from the middle of the palm."""
    places = (np.arange(side, dtype=np.float32) + 0.5) / side
    x, y = (value.astype(np.float32)[:, None] for value in (pose.x, pose.y))
    return (places - x)[:, None, :], (places - y)[:, :, None]


def painted(
    pose: Pose, hand: np.ndarray, background: np.ndarray, light: np.ndarray, grain: np.ndarray | None = None
) -> np.ndarray:
    """uint8 (T, side, side, 3): a hand of one colour (3,) before a background (side, side, 3), values 0 to 1.

    light: (T,) factors on a frame's brightness; grain: (T, side, side, 3), added to it.
    """
    pictures = (hand - background) * coverage(pose, len(background))[..., None]
    pictures += background
    pictures *= light[:, None, None, None]
    if grain is not None:
        pictures += grain
    np.clip(pictures, 0, 1, out=pictures)
    return np.asarray(pictures * np.float32(255) + np.float32(0.5)).astype(np.uint8)


def cloudy(coarse: np.ndarray, side: int = SIDE) -> np.ndarray:
    """(side, side, 3) float32: a few colours (k, k, 3) in a grid over the picture, with smooth ways between them."""
    places = np.linspace(0, len(coarse) - 1, side)
    weights = np.maximum(0, 1 - np.abs(places[:, None] - np.arange(len(coarse))))
    return np.asarray(np.einsum("ai,bj,ijc->abc", weights, weights, coarse, optimize=True), np.float32)
