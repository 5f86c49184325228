"""What an issue asks for: versions and what the project runs on, and nothing of a person."""

from __future__ import annotations

import json
import os
import platform
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from invoke import run

import explorer
from explorer.core.versions import versions


def test_versions_are_those_of_what_is_installed_and_leave_out_what_is_not() -> None:
    found = versions(("torch", "no-such-package"))
    assert found == {
        "python": platform.python_version(),
        "pruning-explorer": explorer.__version__,
        "torch": version("torch"),
    }


def test_the_version_is_told_on_one_line() -> None:
    done = run("--version")
    assert (done.code, done.out, done.err) == (0, f"pruning-explorer {explorer.__version__}\n", "")


def test_the_version_as_json_tells_what_it_runs_on_and_no_path_and_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "node", lambda: "zelda-laptop")
    monkeypatch.setattr(platform, "release", lambda: "6.1.4-zelda")
    done = run("--version", "--json")
    found = json.loads(done.out)
    assert set(found) == {"versions", "system", "devices", "threads"}
    assert found["system"] == f"{platform.system()} 6.1.4 {platform.machine()}"
    assert {"python", "torch", "torchvision", "streamlit", "plotly", "numpy"} <= set(found["versions"])
    assert found["threads"] == torch.get_num_threads() and found["devices"]["cpu"] == "cpu"
    assert "zelda" not in done.out and os.sep not in done.out and str(Path.home()) not in done.out


def test_json_without_the_version_or_a_command_is_refused() -> None:
    done = run("--json")
    assert (done.code, done.err) == (2, "Error: --json belongs after a command, or beside --version.\n")
