"""Fixtures that every test may use."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

settings.register_profile("untimed", deadline=None)  # what a property costs on a busy machine is no fault of it
settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """The networks here are too small to share: two threads mostly wait for each other, and round in another order."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real networks and images beside the checkout; tests that need it skip where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the real networks and images of ../shared/data")
    return folder
