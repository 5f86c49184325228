"""Gestures: synthetic clips of a moving hand, drawn when asked for; no person was filmed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.data.hands import SIDE, Pose, cloudy, painted
from explorer.data.motions import CHANGES, MOTIONS

VERSION = 1  # of everything that decides a pixel
SPEED = 0.6  # largest change of a motion's speed on its way, as a share of its mean speed


@dataclass(frozen=True)
class Gesture:
    """One clip: the class by its number, all that chance decides by number and seed."""

    seed: int
    number: int  # from 0; classes take turns

    @property
    def label(self) -> int:
        """The position of its class in MOTIONS."""
        return self.number % len(MOTIONS)

    def spread(self, count: int) -> tuple[np.ndarray, ...]:
        """`count` frames evenly over the clip, uint8 (64, 64, 3); frame i at (i + 1/2) / count of its length."""
        random = self._random()
        pose = _pose(random, self.label, count)
        background, hand = _colours(random)
        light = random.normal(1, random.uniform(0, 0.04), count)
        grain = random.standard_normal((count, SIDE, SIDE, 3), np.float32)
        grain *= np.float32(random.uniform(0.01, 0.05))
        return tuple(painted(pose, hand.astype(np.float32), cloudy(background), light.astype(np.float32), grain))

    def pose(self, count: int) -> Pose:
        """The pose of the hand in each of `count` frames."""
        return _pose(self._random(), self.label, count)

    def _random(self) -> np.random.Generator:
        return np.random.default_rng([VERSION, self.seed, self.number])


def _pose(random: np.random.Generator, label: int, count: int) -> Pose:
    """The class's motion from a place, with a reach, a swing and a zoom of the clip's own; and a hand that trembles."""
    changes = list(MOTIONS.values())[label](_progress(random, count))
    x, y, turn, growth, _ = (changes.get(name, np.zeros(count)) for name in CHANGES)
    reach, swing, zoom = random.uniform((0.32, 1.1, 0.45), (0.5, 1.8, 0.65))
    place, tilt, size = random.uniform(0.42, 0.58, 2), random.uniform(-0.5, 0.5), random.uniform(0.09, 0.13)
    fist, stretched, kept = random.uniform((0, 0.85, 0.3), (0.15, 1, 1))
    tremble = random.normal(0, random.uniform(0, 1), (4, count))
    return Pose(
        x=place[0] + reach * x + 0.01 * tremble[0],
        y=place[1] + reach * y + 0.01 * tremble[1],
        turn=tilt + swing * turn + 0.04 * tremble[2],
        size=size * np.exp(zoom * growth + 0.03 * tremble[3]),
        open=fist + (stretched - fist) * changes["open"] if "open" in changes else np.full(count, kept),
        right=bool(random.random() < 0.5),
    )


def _progress(random: np.random.Generator, count: int) -> np.ndarray:
    """(T,) from 0 to 1: it starts late, ends early, and is now slower, now faster on its way."""
    start, length = random.uniform((0, 0.65), (0.2, 0.8))
    way = np.clip(((np.arange(count) + 0.5) / count - start) / length, 0, 1)
    return np.asarray(way + random.uniform(-SPEED, SPEED) * np.sin(2 * np.pi * way) / (2 * np.pi))


def _colours(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Of the background (4, 4, 3), and of the hand (3,), which is brighter; float, 0 to 1."""
    dark, more = random.uniform((0.1, 0.3), (0.5, 0.45))
    background = dark + random.normal(0, 0.05, 3) + random.normal(0, 0.06, (4, 4, 3))
    return np.clip(background, 0, 1), np.clip(dark + more + random.normal(0, 0.06, 3), 0, 1)
