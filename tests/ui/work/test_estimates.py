"""Estimates of time: proportional to the images, from a measurement that was timed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from explorer.ui.work import estimates, workspace
from explorer.ui.work.workspace import Source


@pytest.mark.parametrize(("seconds", "images", "said"), [(0.5, 640, "about 5 s"), (2.0, 6400, "about 3 min")])
def test_the_time_of_so_many_images_follows_from_the_time_of_the_validation_images(
    monkeypatch: pytest.MonkeyPatch, seconds: float, images: int, said: str
) -> None:
    loaded = workspace.open_workspace(Source())
    assert len(loaded.validation) == 64
    timed = SimpleNamespace(result="measured", seconds=seconds)
    monkeypatch.setattr(estimates, "find_measuring_job", lambda of, removed: timed)
    assert estimates.about(loaded, images) == said
    monkeypatch.setattr(estimates, "find_measuring_job", lambda of, removed: None)
    assert estimates.about(loaded, images) == ""


def test_a_step_ranks_trains_and_measures() -> None:
    loaded = workspace.open_workspace(Source())
    ranked, measured = len(loaded.calibration), len(loaded.validation)
    assert estimates.images_of_a_step(loaded, 10, 4) == 3 * (ranked + 40) + 2 * measured
    assert estimates.images_of_a_step(loaded, 0, 4) == 3 * ranked + measured
