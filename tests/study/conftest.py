"""A whole study of a tiny network, made once by the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from invoke import run
from tiny import make

from explorer.data import asset


@pytest.fixture(scope="session")
def subject(tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    """The arguments that open a tiny network of one's own with 120 of the demo's digits."""
    folder = tmp_path_factory.mktemp("subject")
    with np.load(asset("images.npz")) as stored:
        x, y = stored["x"], stored["y"]
    chosen = np.concatenate([np.flatnonzero(y == label)[:12] for label in range(10)])
    np.savez(folder / "few.npz", x=x[chosen], y=y[chosen])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        torch.save(make().state_dict(), folder / "tiny.pt")
    prepared = ("--size", 28, "--crop", 28, "--mean", "0.13", "--std", "0.31")
    return [folder / "tiny.pt", "--arch", "tiny:make", "--data", folder / "few.npz", *prepared]


@pytest.fixture(scope="session")
def whole(subject: list[object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study that ran through."""
    out = tmp_path_factory.mktemp("studies") / "whole"
    done = run("study", *subject, "--out", out)
    assert done.code == 0, done.err
    return out


@pytest.fixture(scope="session")
def content(whole: Path) -> dict[str, Any]:
    """What its JSON says."""
    return json.loads((whole / "study.json").read_text())
