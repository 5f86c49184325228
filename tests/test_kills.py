"""`kill -9` at any moment: the run opens with all that was shown, and its figures come back to the last bit."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("streamlit")

from after_kills import Asked, Event, Measured, held, lost
from wandering import killed

from explorer.runs.store import read_run

IMAGES = 64


def test_after_kills_nothing_that_was_shown_is_lost(tmp_path: Path) -> None:
    measured, known, folder = Measured(IMAGES), list[Event](), tmp_path / "runs" / "killed-again"
    asked = 0
    for seed in range(6):
        events = killed(tmp_path, folder.name, seed, images=IMAGES, longest=1.2)
        timeline = read_run(folder).timeline
        assert timeline
        assert list(lost(timeline, known + events)) == []
        assert measured.differing(timeline, folder) == []
        known, asked = held(timeline), asked + sum(isinstance(event, Asked) for event in events)
    assert asked > 6 and timeline.made > 3
