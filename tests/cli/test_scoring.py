"""score, oracle and correlate: the engine's numbers in the documented form."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from invoke import result

from explorer.cli.output import finite
from explorer.criteria import CRITERIA, score
from explorer.data import Batches, Preprocessing, open_images
from explorer.evidence import gather
from explorer.load import open_network
from explorer.networks.network import Network
from explorer.oracle import reference_oracle
from explorer.ranking import correlation_table

ENVELOPE = {"network", "data", "settings", "seconds"}
IMAGES = 8


def opened(where: object, data: object, **preparation: object) -> tuple[Network, Batches]:
    network = open_network(str(where), **preparation)  # type: ignore[arg-type]
    return network, Batches(open_images(str(data)), "calibration", network.preprocessing, IMAGES)


@pytest.fixture(scope="module")
def small(tiny: list[object], few: Path) -> tuple[Network, Batches]:
    prepared = Preprocessing((0.13,), (0.31,), 28, 28)
    return opened(tiny[0], few, arch="tiny:make", preprocessing=prepared, trusted=True)


def test_score_all_gives_every_unit_every_criterion(tmp_path: Path) -> None:
    network, batches = opened("demo", "demo")
    done, found = result(tmp_path, "score", "demo", "--limit", IMAGES, "--seed", 0)
    assert set(found) == ENVELOPE | {"layers"}
    assert [layer["name"] for layer in found["layers"]] == [layer.name for layer in network.units.layers]
    expected = score(gather(network, batches, with_curvature=True))
    for name in CRITERIA:
        values = torch.cat([torch.tensor(layer["saliency"][name]).double() for layer in found["layers"]])
        torch.testing.assert_close(values, expected[name].double(), rtol=1e-5, atol=1e-12)
        assert name in done.out
    assert "8 calibration images of demo, seed 0, on cpu, before fine-tuning" in done.out


def test_score_of_one_criterion_does_not_depend_on_the_batch_size(tmp_path: Path) -> None:
    arguments = ("score", "demo", "--criterion", "taylor", "--limit", 12)
    (done, whole), (_, split) = (result(tmp_path, *arguments, "--batch-size", size) for size in (12, 5))
    for one, other in zip(whole["layers"], split["layers"], strict=True):
        assert list(one["saliency"]) == ["taylor"]
        assert one["saliency"]["taylor"] == pytest.approx(other["saliency"]["taylor"], rel=1e-4, abs=1e-12)
    assert "Taylor (nats a position)" in done.out


def test_oracle_is_the_reference(small: tuple[Network, Batches], tiny: list[object], tmp_path: Path) -> None:
    done, found = result(tmp_path, "oracle", *tiny, "--reference", "--limit", IMAGES)
    assert set(found) == ENVELOPE | {"layers", "images", "method"}
    assert (found["images"], found["method"]) == (IMAGES, "reference")
    expected = reference_oracle(*small)
    for layer, units in zip(found["layers"], expected.units.layers, strict=True):
        assert layer["name"] == units.name
        for key in ("oracle_loss", "oracle_abs", "standard_error"):
            numbers = getattr(expected, key)[expected.units.slices[units.name]].tolist()
            assert layer[key] == pytest.approx(numbers, rel=1e-5, abs=1e-9)
    assert "oracle-loss in nats" in done.out


def test_standard_errors_of_a_single_image_are_null(tmp_path: Path) -> None:
    _, found = result(tmp_path, "oracle", "demo", "--limit", 1)
    assert {error for layer in found["layers"] for error in layer["standard_error"]} == {None}
    assert sum(len(layer["oracle_loss"]) for layer in found["layers"]) == 448


def test_correlate_is_the_engines_table(small: tuple[Network, Batches], tiny: list[object], tmp_path: Path) -> None:
    done, found = result(tmp_path, "correlate", *tiny, "--limit", IMAGES)
    assert set(found) == ENVELOPE | {"table"}
    network, batches = small
    saliencies = score(gather(network, batches, with_curvature=True))
    expected = correlation_table(saliencies, reference_oracle(network, batches).oracle_abs, network.units)
    assert list(found["table"]) == list(CRITERIA) == list(expected)
    for name, row in found["table"].items():
        assert row == pytest.approx(finite(asdict(expected[name])), abs=1e-6)
        assert CRITERIA[name].title in done.out


def test_a_real_transfer_learning_case_scores(shared_data: Path, tmp_path: Path) -> None:
    leaf = shared_data / "leaf"
    arguments = (leaf / "squeezenet1_0_leaf.pth", "--arch", "torchvision:squeezenet1_0", "--data", leaf / "test")
    _, found = result(tmp_path, "score", *arguments, "--limit", 8, "--criterion", "taylor")
    assert found["data"]["preprocessing"]["crop"] == 224
    assert found["data"]["splits"] == {"calibration": 8}
    assert max(max(layer["saliency"]["taylor"]) for layer in found["layers"]) > 0
    assert found["network"]["classes"] == sorted(path.name for path in (leaf / "test").iterdir())
