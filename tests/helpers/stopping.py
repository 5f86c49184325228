"""Work that is stopped from the keyboard at a chosen place."""

from __future__ import annotations

import sys
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
