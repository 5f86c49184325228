from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from explorer.data.preprocessing import Preprocessing
from explorer.data.tensors import normalise
from explorer.evaluate import Outcome
from explorer.networks.small import vgg_small

ASSETS = Path(__file__).resolve().parent.parent / "assets"
SIZES = {"finetune": 2488, "calibration": 512, "validation": 1000, "test": 1000}


@pytest.fixture(scope="module")
def images() -> dict[str, np.ndarray]:
    with np.load(ASSETS / "images.npz", allow_pickle=False) as archive:
        return dict(archive)


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    with safe_open(ASSETS / "network.safetensors", "pt") as file:
        return json.loads(file.metadata()["manifest"])


@pytest.fixture(scope="module")
def outcome(images: dict[str, np.ndarray], manifest: dict[str, Any]) -> Outcome:
    """What the stored network says of the stored test images."""
    module = vgg_small(manifest["num_classes"]).eval()
    module.load_state_dict(load_file(ASSETS / "network.safetensors"))
    of = images["split"] == images["split_names"].tolist().index("test")
    x = normalise(torch.from_numpy(images["x"][of])[:, None], Preprocessing.from_json(manifest["preprocessing"]))
    with torch.inference_mode():
        return Outcome(torch.cat([module(part) for part in x.split(250)]), torch.from_numpy(images["y"][of]))


def test_all_files_together_stay_below_8_megabytes() -> None:
    assert sum(file.stat().st_size for file in ASSETS.rglob("*") if file.is_file()) <= 8e6


def test_images_are_plain_arrays_without_pickled_content(images: dict[str, np.ndarray]) -> None:
    with zipfile.ZipFile(ASSETS / "images.npz") as archive:
        assert sorted(archive.namelist()) == [f"{name}.npy" for name in ("classes", "split", "split_names", "x", "y")]
    assert {name: array.dtype.kind for name, array in images.items()} == {
        "x": "u", "y": "i", "classes": "U", "split": "u", "split_names": "U",
    }  # fmt: skip
    assert images["x"].dtype == np.uint8
    assert images["x"].shape == (5000, 28, 28)


def test_splits_have_their_sizes_and_every_class_in_proportion(images: dict[str, np.ndarray]) -> None:
    assert images["split_names"].tolist() == list(SIZES)
    for code, size in enumerate(SIZES.values()):
        counts = np.bincount(images["y"][images["split"] == code], minlength=10)
        assert counts.sum() == size
        assert counts.max() - counts.min() <= 1


def test_no_image_is_in_two_splits(images: dict[str, np.ndarray]) -> None:
    assert len(np.unique(images["x"].reshape(5000, -1), axis=0)) == 5000


def test_classes_are_the_digits(images: dict[str, np.ndarray], manifest: dict[str, Any]) -> None:
    assert manifest["classes"] == images["classes"].tolist() == [str(digit) for digit in range(10)]


def test_manifest_names_the_network(manifest: dict[str, Any]) -> None:
    named = {key: manifest[key] for key in ("format", "arch", "num_classes", "input_shape")}
    assert named == {
        "format": "pruning-explorer network 1",
        "arch": "explorer:vgg_small",
        "num_classes": 10,
        "input_shape": [1, 28, 28],
    }


def test_preprocessing_makes_the_finetune_split_standard(
    images: dict[str, np.ndarray], manifest: dict[str, Any]
) -> None:
    preprocessing = Preprocessing.from_json(manifest["preprocessing"])
    x = normalise(torch.from_numpy(images["x"][images["split"] == 0])[:, None], preprocessing)
    assert x.mean().item() == pytest.approx(0, abs=1e-3)
    assert x.std().item() == pytest.approx(1, abs=1e-3)


def test_held_out_accuracy_is_as_stated_and_at_least_97_percent(outcome: Outcome, manifest: dict[str, Any]) -> None:
    stated = manifest["provenance"]["measured"]["test"]
    assert outcome.accuracy == pytest.approx(stated["accuracy"], abs=0.0011)  # one image near a boundary
    assert outcome.loss == pytest.approx(stated["loss"], abs=1e-3)
    assert outcome.accuracy >= 0.97


def test_readme_states_what_the_manifest_states(manifest: dict[str, Any]) -> None:
    readme = (ASSETS / "README.md").read_text()
    for name, figures in manifest["provenance"]["measured"].items():
        row = f"| {name} | {figures['images']} | {100 * figures['accuracy']:.2f} % | {figures['loss']:.4f} |"
        assert row in readme
