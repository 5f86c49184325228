"""Work that is stopped from the keyboard at a chosen place."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def stopping(monkeypatch: pytest.MonkeyPatch, place: str, call: int, *, after: bool = False) -> None:
    """Stop the work at the given call of a function, before or after what it does."""
    module, name = place.rsplit(".", 1)
    real, calls = getattr(sys.modules[module], name), iter(range(1, 1000))

    def stopped(*arguments: Any, **options: Any) -> Any:
        now = next(calls) == call
        if now and not after:
            raise KeyboardInterrupt
        found = real(*arguments, **options)
        if now:
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(place, stopped)


def files(folder: Path) -> dict[str, bytes]:
    """Name -> content of all files of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def gone_on_after_a_stop(work: Callable[[], object], folder: Path, place: tuple[str, int, bool]) -> dict[str, bytes]:
    """The files of a folder after work that was stopped at a place (see `stopping`) and then done again."""
    with pytest.MonkeyPatch.context() as patch:
        stopping(patch, place[0], place[1], after=place[2])
        with pytest.raises(KeyboardInterrupt):
            work()
    work()
    return files(folder)
