"""Fixtures that every test may use."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is there: threads that wait for others spin meanwhile

import pytest
import quick
import torch
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

settings.register_profile("untimed", deadline=None)  # what a property costs on a busy machine is no fault of it
settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """The networks here are too small to share: two threads mostly wait for each other, and round in another order."""
    torch.set_num_threads(1)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With -m quick, files of other tests are not even read."""
    other = collection_path.suffix == ".py" and not quick.is_quick(collection_path)
    return True if other and config.option.markexpr == "quick" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the quick tests."""
    for item in items:
        if quick.is_quick(item.path):
            item.add_marker("quick")


@pytest.fixture(autouse=True)
def quickly(request: pytest.FixtureRequest) -> Iterator[None]:
    """With -m quick, a test that takes long fails: it belongs elsewhere."""
    start = time.process_time()
    yield
    taken = time.process_time() - start
    assert taken < quick.SECONDS or request.config.option.markexpr != "quick", f"{taken:.1f} s: too long to be quick"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real networks and images beside the checkout; tests that need it skip where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the real networks and images of ../shared/data")
    return folder
