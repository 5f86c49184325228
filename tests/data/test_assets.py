from __future__ import annotations

import zipfile
from pathlib import Path

import measure_demo
import numpy as np
import pytest
import torch

from explorer import open_network
from explorer.data import Batches, open_images
from explorer.evaluation.evaluate import Outcome, evaluate
from explorer.networks.graph.safetensors_file import load_network
from explorer.networks.load import batches_for
from explorer.networks.network import Network

ASSETS = Path(__file__).resolve().parents[2] / "assets"
SIZES = {"finetune": 2488, "calibration": 512, "validation": 1000, "test": 1000}


@pytest.fixture(scope="module")
def images() -> dict[str, np.ndarray]:
    with np.load(ASSETS / "images.npz", allow_pickle=False) as archive:
        return dict(archive)


@pytest.fixture(scope="module")
def demo() -> Network:
    return open_network("demo")


@pytest.fixture(scope="module")
def measured() -> dict[str, dict[str, float]]:
    """The figures that were written into the file when it was made."""
    return load_network(ASSETS / "network.safetensors")[1].metrics["full"]


@pytest.fixture(scope="module")
def outcome(demo: Network) -> Outcome:
    """What the stored network says of the stored test images."""
    return evaluate(demo, Batches(open_images("demo"), "test", demo.preprocessing))


def test_all_files_together_stay_below_8_megabytes() -> None:
    assert sum(file.stat().st_size for file in ASSETS.rglob("*") if file.is_file()) <= 8e6


def test_images_are_plain_arrays_without_pickled_content(images: dict[str, np.ndarray]) -> None:
    with zipfile.ZipFile(ASSETS / "images.npz") as archive:
        assert sorted(archive.namelist()) == [f"{name}.npy" for name in ("classes", "split", "split_names", "x", "y")]
    assert {name: array.dtype.kind for name, array in images.items()} == {
        "x": "u",
        "y": "i",
        "classes": "U",
        "split": "u",
        "split_names": "U",
    }
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


def test_classes_are_the_digits(images: dict[str, np.ndarray], demo: Network) -> None:
    assert list(demo.classes) == images["classes"].tolist() == [str(digit) for digit in range(10)]


def test_the_network_is_plain_with_six_convolutions(demo: Network) -> None:
    assert (demo.arch, demo.input_shape) == ("explorer:vgg_tiny", (1, 28, 28))
    assert [len(layer) for layer in demo.units.layers] == [8, 8, 16, 16, 32, 32]
    assert all(len(layer.writers) == 1 for layer in demo.units.layers)


def test_preprocessing_makes_the_finetune_split_standard(demo: Network) -> None:
    x = torch.cat([x for x, _ in Batches(open_images("demo"), "finetune", demo.preprocessing)])
    assert x.mean().item() == pytest.approx(0, abs=1e-3)
    assert x.std().item() == pytest.approx(1, abs=1e-3)


def test_held_out_accuracy_is_as_stated_and_at_least_97_percent(outcome: Outcome, measured: dict) -> None:
    stated = measured["test"]
    assert outcome.accuracy == pytest.approx(stated["accuracy"], abs=0.0011)  # one image near a boundary
    assert outcome.loss == pytest.approx(stated["loss"], abs=1e-3)
    assert outcome.accuracy >= 0.97


def test_readme_states_what_the_file_states(measured: dict) -> None:
    readme = (ASSETS / "README.md").read_text()
    for name, figures in measured.items():
        row = f"| {name} | {figures['images']} | {100 * figures['accuracy']:.2f} % | {figures['loss']:.4f} |"
        assert row in readme


def test_losses_are_compared_image_by_image() -> None:
    labels = torch.zeros(4, dtype=torch.int64)
    sure = Outcome(torch.tensor([[4.0, 0.0], [3.0, 0.0], [2.0, 0.0], [-9.0, 0.0]]), labels)
    less_sure = Outcome(sure.logits - torch.tensor([[1.0, 0.0]]), labels)
    apart = (less_sure.losses - sure.losses).numpy()
    assert measure_demo.ratio(sure, less_sure) == pytest.approx(apart.mean() / (apart.std(ddof=1) / 2))
    assert measure_demo.ratio(less_sure, sure) == -measure_demo.ratio(sure, less_sure)


def test_on_the_demo_taylor_lies_below_weight_and_weight_below_chance(demo: Network) -> None:
    calibration = batches_for(demo, open_images("demo"), "calibration", 256)
    taylor, weight = (
        [measure_demo.answers(demo, plan) for plan in measure_demo.at_once(demo, calibration, way)]
        for way in (("taylor", 0), ("weight", 0))
    )
    chance = measure_demo.answers(
        demo, next(measure_demo.at_once(demo, calibration, ("random", 0)))
    )  # where it is best
    assert len(taylor) == len(measure_demo.GONE)
    assert all(measure_demo.ratio(a, b) > 2 for a, b in zip(taylor, weight, strict=True))
    assert all(measure_demo.ratio(each, chance) > 2 for each in weight)
