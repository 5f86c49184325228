"""The paper's own settings from their names to a measured part, on data sets in miniature."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import miniatures
import numpy as np
import pytest
from invoke import run
from torchvision import datasets

from explorer.data import open_images
from explorer.runs.store import read_run
from explorer.study.papers import PAPERS

ALEXNET = {"features.0": 64, "features.3": 192, "features.6": 384, "features.8": 256, "features.10": 256}


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    """Where weights are looked for; gone after the tests, for they are large."""
    with tempfile.TemporaryDirectory() as name:
        yield name


@pytest.fixture
def work(hub: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where images are looked for, and what is studied goes."""
    with tempfile.TemporaryDirectory() as name:
        monkeypatch.setenv("PRUNING_EXPLORER_DATA", name)
        monkeypatch.setattr("torch.hub.get_dir", lambda: hub)
        monkeypatch.setattr(datasets.Flowers102, "_check_integrity", lambda self: True)  # sums of the published files
        yield Path(name)


def studied(name: str, work: Path) -> dict[str, Any]:
    """What the study of a setting says after its first part, on one image of each split."""
    words = miniatures.at_hand(PAPERS[name], work)
    done = run(*words, "--limit", 1, "--only", "agreement", "--out", work / "out")
    assert done.code == 0, done.err
    assert PAPERS[name].like in (work / "out" / "report.html").read_text()
    return json.loads((work / "out" / "study.json").read_text())


def check_measured(content: dict[str, Any]) -> None:
    """Every unit of AlexNet has an exact effect, and every criterion that can have one a correlation with it."""
    (part,) = content["parts"]
    found = part["result"]
    effects = np.array(found["oracle_loss"])
    assert found["layers"] == ALEXNET and len(effects) == sum(ALEXNET.values())
    assert np.isfinite(effects).all() and len(np.unique(effects)) > 1000
    assert all(0.5 < value <= 1 for value in found["table"]["taylor2"].values())
    assert found["random"]["all_layers"]["zero"]


def test_alexnet_on_flowers_is_fine_tuned_and_then_measured(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PAPERS, "alexnet-flowers", replace(PAPERS["alexnet-flowers"], epochs=1))
    content = studied("alexnet-flowers", work)
    check_measured(content)
    network, settings = content["network"], content["settings"]
    assert (network["arch"], network["classes"]) == ("torchvision:alexnet", 102)
    assert "1 calibration image of Flowers102, seed 0, on cpu" in content["parts"][0]["setting"]
    assert (settings["updates"], settings["recipe"]["learning_rate"]) == (10, 1e-4)
    tuned = read_run(work / "out" / "network")
    assert tuned.finished and tuned.settings["learning_rate"] == 1e-3
    assert tuned.data["splits"] == {"finetune": 1, "validation": 4}, "--limit is of the fine-tuning too"


def test_published_imagenet_weights_are_measured_as_they_are(work: Path) -> None:
    content = studied("alexnet-imagenet", work)
    check_measured(content)
    assert content["network"]["classes"] == 1000 and content["settings"]["updates"] == 30
    assert not (work / "out" / "network").exists()
    assert open_images(content["data"]["source"]).classes[:2] == ("n01440764", "n01440765")


def test_birds_are_read_as_their_archive_unpacks(work: Path) -> None:
    images = open_images(str(miniatures.birds(work)))
    assert images.classes == miniatures.SPECIES and len(images) == 2 * miniatures.EACH and not images.skipped
    assert all(len(np.unique(images.labels[images.splits[name]])) == 2 for name in ("finetune", "validation"))
