"""Motions: the hand's movement in each class of the synthetic gestures, as a function of its progress, 0 to 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

CHANGES = ("x", "y", "turn", "growth", "open")
"""What a motion may change. x to the right and y downwards: 1 is the clip's reach; turn: clockwise, 1 is its swing;
growth: of the logarithm of the hand's size, 1 is its zoom; open: 0 a fist, 1 all fingers stretched."""

Motion = Callable[[np.ndarray], Mapping[str, np.ndarray]]
"""Progress (T,) from 0 to 1 -> the changes (T,) that belong to it; what is not named stays as it is."""


def _along(**ways: float) -> Motion:
    """Straight on, half of the way on each side of the middle."""
    return lambda p: {name: way * (p - 0.5) for name, way in ways.items()}


def _there_and_back(**ways: float) -> Motion:
    return lambda p: {name: way * (np.sin(np.pi * p) - 0.5) for name, way in ways.items()}


def _to_and_fro(times: int, **ways: float) -> Motion:
    return lambda p: {name: way * np.sin(2 * np.pi * times * p) for name, way in ways.items()}


def _taps(times: int) -> Motion:
    """Towards the viewer and back, quickly."""
    return lambda p: {"growth": np.sin(np.pi * times * p) ** 2}


def _circle(way: float) -> Motion:
    """One round from the top, of half a reach's radius."""
    return lambda p: {"x": way * np.sin(2 * np.pi * p) / 2, "y": -np.cos(2 * np.pi * p) / 2}


def _still(p: np.ndarray) -> Mapping[str, np.ndarray]:
    return {}


ASLANT = 0.5**0.5

MOTIONS: dict[str, Motion] = {
    "move left": _along(x=-1),
    "move right": _along(x=1),
    "move up": _along(y=-1),
    "move down": _along(y=1),
    "move up and left": _along(x=-ASLANT, y=-ASLANT),
    "move up and right": _along(x=ASLANT, y=-ASLANT),
    "move down and left": _along(x=-ASLANT, y=ASLANT),
    "move down and right": _along(x=ASLANT, y=ASLANT),
    "left and back": _there_and_back(x=-1),
    "right and back": _there_and_back(x=1),
    "push in": _along(growth=1.4),
    "pull out": _along(growth=-1.4),
    "turn clockwise": _along(turn=1),
    "turn counter-clockwise": _along(turn=-1),
    "circle clockwise": _circle(1),
    "circle counter-clockwise": _circle(-1),
    "open": lambda p: {"open": p},
    "close": lambda p: {"open": 1 - p},
    "close twice": lambda p: {"open": np.cos(2 * np.pi * p) ** 2},
    "shake": _to_and_fro(2, x=0.4),
    "nod": _to_and_fro(2, y=0.4),
    "wave": _to_and_fro(2, turn=0.5),
    "tap": _taps(1),
    "tap twice": _taps(2),
    "hold still": _still,
}
"""Class -> its motion. Where two differ by direction alone, every picture of one is also one of the other."""
