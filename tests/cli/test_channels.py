"""Networks for images of two channels on the command line, from a checkpoint to proven files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from invoke import result, run
from samples_at_hand import checkpoint

MEANS = ("--mean", "0.25,0.5", "--std", "0.5,0.25")


@pytest.fixture
def events(tmp_path: Path) -> tuple[object, ...]:
    """A network that reads two channels, and a folder of such images of two classes."""
    random = np.random.default_rng(0)
    for number in range(40):
        path = tmp_path / "events" / "ab"[number % 2] / f"{number}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, random.integers(0, 30_000 * (1 + number % 2), (2, 28, 28), dtype=np.uint16))
    (tmp_path / "two.pt").write_bytes(checkpoint(in_channels=2))
    return tmp_path / "two.pt", "--arch", "explorer:vgg_small", "--data", tmp_path / "events"


def test_two_channels_are_pruned_exported_and_proven(events: tuple[object, ...], tmp_path: Path) -> None:
    _, told = result(tmp_path, "inspect", *events[:3])
    assert told["network"]["input_shape"] == [2, 28, 28]
    done, _ = result(tmp_path, "score", *events, *MEANS, "--criterion", "taylor")
    assert "40 images: 2 channels of uint16, read as value / 65535." in done.err
    _, pruned = result(
        tmp_path, "prune", *events, *MEANS, "--criterion", "l1", "--until", "units=0.9", "--out", tmp_path / "run"
    )
    assert pruned["data"]["preprocessing"]["mean"] == [0.25, 0.5]
    _, again = result(tmp_path, "evaluate", tmp_path / "run", "--split", "validation")  # opens with its own images
    assert again["loss"] == pytest.approx(pruned["after"]["loss"], rel=1e-5)
    result(tmp_path, "export", tmp_path / "run", "--format", "safetensors,model", "--out", tmp_path / "out")
    _, proven = result(tmp_path, "verify", tmp_path / "out", "--trust")
    assert len(proven["files"]) == 2 and all(file["ok"] for file in proven["files"])


@pytest.mark.parametrize(
    ("means", "message"),
    [
        ((), "Error: The network reads images of 2 channels, and how they are normalised can't be known: give mean"),
        (
            ("--mean", "0,0,0", "--std", "1,1,1"),
            "Error: mean and std have 3 values, but the first layer of the network",
        ),
    ],
)
def test_what_is_missing_is_one_sentence(events: tuple[object, ...], means: tuple[str, ...], message: str) -> None:
    done = run("evaluate", *events, *means)
    assert done.code == 2 and message in done.err and "Traceback" not in done.err


def test_images_of_other_channels_are_refused_with_both_numbers(events: tuple[object, ...]) -> None:
    done = run("evaluate", *events[:4], "demo", *MEANS)
    assert done.code == 2 and ("10 classes" in done.err or "it has 1 channel, but the network reads 2" in done.err)
