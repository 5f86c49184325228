"""The app in a work folder of its own, driven without a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

from explorer.runs.store import Run, read_run, write_run

pytest.importorskip("streamlit")

from driving import App
from rewriting_documents import rewritten
from streamlit.components.v2 import manifest_scanner

from explorer.jobs.job import AHEAD
from explorer.ui.frame import main
from explorer.ui.work import workspace
from explorer.ui.work.jobs import JOBS

RUN = "a-run-of-the-tests"


@pytest.fixture(autouse=True, scope="session")
def few_images() -> Iterator[None]:
    """Few images and one thread: what the pages do with results does not depend on how many there are."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workspace, "CALIBRATION", 32)
        patch.setattr(workspace, "VALIDATION", 64)
        yield
    workspace.open_workspace.clear()
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True, scope="session")
def quick_tabs() -> Iterator[None]:
    """Tabs open at once: no browser's window has to be laid out, and packages are searched for components once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(main, "WIDENED", 0.0)
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(autouse=True)
def workdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The app's work folder, empty."""
    monkeypatch.setenv("PRUNING_EXPLORER_WORKDIR", str(tmp_path))
    return tmp_path


@pytest.fixture(autouse=True)
def gone() -> Iterator[None]:
    """What a page computes in case somebody asks for it ends with the test: nobody looks at its tabs any more."""
    yield
    for job in list(JOBS._jobs.values()):
        if job.active and (job.lane == AHEAD or job.key.startswith("one-shot-")):
            job.cancel()
        if job.key.startswith("oracle-"):
            JOBS.forget(job.key)  # it is kept in the test's own work folder, and known nowhere else


@pytest.fixture
def open_app() -> Callable[..., App]:
    """Call with a page and query parameters: a new browser tab on it."""
    return App.opened


@pytest.fixture
def saved(workdir: Path) -> Callable[[str], Run]:
    """Call with a run's id: what its folder says."""
    return lambda run: read_run(workdir / "runs" / run)


@pytest.fixture
def write(workdir: Path) -> Callable[..., Path]:
    """Call with what differs from an untouched run of the demo, or with bytes: the written run.json of RUN."""

    def write(content: bytes | None = None, **parts: Any) -> Path:
        network = {"source": "demo", "name": "demo", "arch": None}
        path = write_run(workdir / "runs" / RUN, Run(network, {"source": "demo", "seed": 0}))
        if content is not None:
            path.write_bytes(content)
        elif parts:
            path.write_bytes(rewritten(path.read_bytes(), parts))
        return path

    return write
