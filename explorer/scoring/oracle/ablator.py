"""The interface of every way to compute the oracle, with its progress."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from torch import Tensor

from explorer.core.progress import Report

Done = Callable[[float], None]  # told how many more images are done, in shares of an image


def ignore(images: float) -> None:
    """A progress report that is not shown."""


class Ablator(Protocol):
    """Measures what closing each gate does to each image's loss."""

    method: str

    def changes(self, x: Tensor, y: Tensor, done: Done = ignore) -> Tensor:
        """C_n(g_u = 0) - C_n(g = 1) of every image and unit, (N, units), nats, float64, on the CPU."""


class Counter:
    """Adds up shares of images and reports them."""

    def __init__(self, report: Report, total: int) -> None:
        self.report, self.total, self.images = report, total, 0.0

    def __call__(self, images: float) -> None:
        """So many more are done."""
        self.images += images
        self.report(int(100 * self.images), 100 * self.total, f"{int(self.images + 1e-6)} of {self.total} images done")
