"""Schedules: how the learning rate changes from update to update.

>>> [round(linear(u, 4), 2) for u in range(4)], [round(step(u, 6), 2) for u in range(6)]
([1.0, 0.75, 0.5, 0.25], [1.0, 1.0, 0.1, 0.1, 0.01, 0.01])
"""

from __future__ import annotations

import math
from collections.abc import Callable

Schedule = Callable[[int, int], float]
"""Update u (0, 1, ..., U - 1) of U in all -> the factor on the learning rate, above 0 and at most 1."""


def constant(u: int, updates: int) -> float:
    """The same rate throughout: f(u) = 1."""
    return 1.0


def cosine(u: int, updates: int) -> float:
    """Half a cosine wave down to nothing: f(u) = (1 + cos(pi u / U)) / 2. Loshchilov and Hutter 2017."""
    return (1 + math.cos(math.pi * u / updates)) / 2


def linear(u: int, updates: int) -> float:
    """A straight line down to nothing: f(u) = 1 - u / U."""
    return 1 - u / updates


def step(u: int, updates: int) -> float:
    """A tenth of the rate after each third: f(u) = 0.1 ^ floor(3 u / U)."""
    return 0.1 ** (3 * u // updates)


SCHEDULES: dict[str, Schedule] = {"constant": constant, "cosine": cosine, "linear": linear, "step": step}


def summary(name: str) -> str:
    """One line that says what a schedule does."""
    return str(SCHEDULES[name].__doc__).partition("\n")[0]
