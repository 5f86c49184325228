"""Few real images, so that commands that read whole splits stay fast."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import make

from explorer.data import asset


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """80 of the demo's digits, 8 a class, without splits of their own."""
    with np.load(asset("images.npz")) as stored:
        x, y = stored["x"], stored["y"]
    chosen = np.concatenate([np.flatnonzero(y == label)[:8] for label in range(10)])
    path = tmp_path_factory.mktemp("data") / "few.npz"
    np.savez(path, x=x[chosen], y=y[chosen])
    return path


@pytest.fixture(scope="session")
def tiny(few: Path, tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    """The arguments that open a tiny network of one's own with the few digits."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.pt"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        torch.save(make().state_dict(), path)
    prepared = ("--size", 28, "--crop", 28, "--mean", "0.13", "--std", "0.31")
    return [path, "--arch", "tiny:make", "--data", few, *prepared]
