"""Progress: how long work says where it is, and how it is stopped."""

from __future__ import annotations

from collections.abc import Callable

Report = Callable[[int, int, str], None]
"""Called as report(done, total, note); it may raise to cancel the work, which then leaves nothing behind."""


def silent(done: int, total: int, note: str = "") -> None:
    """The report of nobody listening."""
