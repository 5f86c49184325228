"""score, oracle and correlate: the engine's numbers in the documented form."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from invoke import result, run
from of_demo import UNITS
from samples_at_hand import checkpoint

from explorer.cli.output import finite
from explorer.data import Batches, Preprocessing, open_images
from explorer.networks.network import Network
from explorer.runs.opening import place
from explorer.scoring.criteria import CRITERIA, applicable, score
from explorer.scoring.curvature import curvature_by_probes
from explorer.scoring.evidence import gather
from explorer.scoring.oracle import reference_oracle
from explorer.scoring.ranking import correlation_table

ENVELOPE = {"network", "data", "settings", "seconds"}
IMAGES = 8


def opened(
    where: object, data: object, arch: str | None = None, preprocessing: Preprocessing | None = None
) -> tuple[Network, Batches]:
    network = place(str(where), arch).network(preprocessing)
    return network, Batches(open_images(str(data)), "calibration", network.preprocessing, IMAGES)


@pytest.fixture(scope="module")
def small(tiny: list[object], few: Path) -> tuple[Network, Batches]:
    prepared = Preprocessing((0.13,), (0.31,), 28, 28)
    return opened(tiny[0], few, "tiny:make", prepared)


def test_score_all_gives_every_unit_every_criterion(tmp_path: Path) -> None:
    network, batches = opened("demo", "demo")
    done, found = result(tmp_path, "score", "demo", "--limit", IMAGES, "--seed", 0)
    assert set(found) == ENVELOPE | {"layers"}
    assert [layer["name"] for layer in found["layers"]] == [layer.name for layer in network.units.layers]
    expected = score(gather(network, batches))
    for name in applicable(network):
        values = torch.cat([torch.tensor(layer["saliency"][name]).double() for layer in found["layers"]])
        torch.testing.assert_close(values, expected[name].double(), rtol=1e-5, atol=1e-12)
        assert name in done.out
    assert "8 calibration images of demo, seed 0, on cpu, as loaded" in done.out


def test_score_of_one_criterion_does_not_depend_on_the_batch_size(tmp_path: Path) -> None:
    arguments = ("score", "demo", "--criterion", "taylor", "--limit", 12)
    (done, whole), (_, split) = (result(tmp_path, *arguments, "--batch-size", size) for size in (12, 5))
    for one, other in zip(whole["layers"], split["layers"], strict=True):
        assert list(one["saliency"]) == ["taylor"]
        assert one["saliency"]["taylor"] == pytest.approx(other["saliency"]["taylor"], rel=1e-4, abs=1e-12)
    assert "Taylor (nats a position)" in done.out


def test_obd_by_probes_states_its_standard_error(tmp_path: Path) -> None:
    network, batches = opened("demo", "demo")
    arguments = ("score", "demo", "--criterion", "obd", "--limit", IMAGES, "--seed", 0)
    exact, _ = result(tmp_path, *arguments)
    done, found = result(tmp_path, *arguments, "--probes", 3)
    expected = curvature_by_probes(network, batches, probes=3)
    values = torch.cat([torch.tensor(layer["saliency"]["obd"]).double() for layer in found["layers"]])
    torch.testing.assert_close(values, expected.values.mean(0) / 2, rtol=1e-3, atol=1e-7)
    assert f"standard error {float(expected.standard_error.median() / 2):.2g} nats" in done.out
    assert "standard error" not in exact.out


def test_a_criterion_that_does_not_apply_is_refused() -> None:
    done = run("score", "demo", "--criterion", "bn_scale", "--limit", IMAGES)
    assert done.code == 2
    assert "Batch-norm scale can't score this network: layer features.0 and 5 more of demo have no" in done.err


def test_oracle_is_the_reference(small: tuple[Network, Batches], tiny: list[object], tmp_path: Path) -> None:
    done, found = result(tmp_path, "oracle", *tiny, "--reference", "--limit", IMAGES)
    assert set(found) == ENVELOPE | {"layers", "images", "method", "expected_agreement", "note"}
    assert (found["images"], found["method"]) == (IMAGES, "reference")
    expected = reference_oracle(*small)
    for layer, units in zip(found["layers"], expected.units.layers, strict=True):
        assert layer["name"] == units.name
        for key in ("oracle_loss", "oracle_abs", "standard_error"):
            numbers = getattr(expected, key)[expected.units.slices[units.name]].tolist()
            assert layer[key] == pytest.approx(numbers, rel=1e-5, abs=1e-9)
    assert "oracle-loss in nats" in done.out


def test_oracle_takes_every_way_to_the_same_figures(tiny: list[object], tmp_path: Path) -> None:
    _, exact = result(tmp_path, "oracle", *tiny, "--limit", 24)
    _, frugal = result(tmp_path, "oracle", *tiny, "--limit", 24, "--memory", 1e-6)
    coarse_said, _ = result(tmp_path, "oracle", *tiny, "--limit", 24, "--precision", "bfloat16")
    assert exact["method"] == "incremental"
    for a, b in zip(exact["layers"], frugal["layers"], strict=True):
        assert a["oracle_loss"] == pytest.approx(b["oracle_loss"], abs=1e-5)
        assert set(a["remaining_error"]) == {0}
    assert "Computed in bfloat16: rank correlation with float32" in " ".join(coarse_said.out.split())


def test_oracle_stops_when_the_ranks_have_settled(tmp_path: Path) -> None:
    done, found = result(tmp_path, "oracle", "demo", "--settled", "--limit", 128)
    assert 8 <= found["images"] < 128
    assert 0.99 <= found["expected_agreement"] < 1
    assert f"{found['images']} of 128 images are exact, the others linearised" in " ".join(done.out.split())
    assert any(error > 0 for layer in found["layers"] for error in layer["remaining_error"])


def test_standard_errors_of_a_single_image_are_null(tmp_path: Path) -> None:
    _, found = result(tmp_path, "oracle", "demo", "--limit", 1)
    assert {error for layer in found["layers"] for error in layer["standard_error"]} == {None}
    assert sum(len(layer["oracle_loss"]) for layer in found["layers"]) == UNITS


def test_correlate_is_the_engines_table(small: tuple[Network, Batches], tiny: list[object], tmp_path: Path) -> None:
    done, found = result(tmp_path, "correlate", *tiny, "--limit", IMAGES, "--resamples", 10)
    assert set(found) == ENVELOPE | {"table", "intervals"}
    network, batches = small
    saliencies = score(gather(network, batches))
    expected = correlation_table(saliencies, reference_oracle(network, batches).oracle_abs, network.units)
    assert list(found["table"]) == list(applicable(network)) == list(expected)
    for name, row in found["table"].items():
        assert set(row) > {"per_layer", "all_layers", "all_layers_l2", "kendall_per_layer", "overlap_all_layers"}
        assert row == pytest.approx(finite(expected[name]), abs=1e-6)
        assert set(found["intervals"][name]) == set(row)
        assert CRITERIA[name].title in done.out
    for words in ("Spearman", "Kendall", "All layers, l2", "95% of 10 bootstrap resamples", "8 calibration images"):
        assert words in done.out


def test_correlate_takes_another_scaling_beside_the_papers(
    small: tuple[Network, Batches], tiny: list[object], tmp_path: Path
) -> None:
    arguments = ("correlate", *tiny, "--limit", IMAGES, "--scaling", "standard", "--resamples", 0)
    done, found = result(tmp_path, *arguments)
    network, batches = small
    saliencies = score(gather(network, batches))
    expected = correlation_table(saliencies, reference_oracle(network, batches).oracle_abs, network.units, "standard")
    for name, row in found["table"].items():
        told = {key: row[key] for key in expected[name]}
        assert told == pytest.approx(finite(expected[name]), abs=1e-6)
        assert {"all_layers_standard", "all_layers_l2"} <= set(row)
    assert found["intervals"] == {}
    assert found["settings"]["scaling"] == "standard"
    assert "All layers, standard" in done.out and "bootstrap" not in done.out


def test_a_real_transfer_learning_case_scores(shared_data: Path, tmp_path: Path) -> None:
    leaf = shared_data / "leaf"
    arguments = (leaf / "squeezenet1_0_leaf.pth", "--arch", "torchvision:squeezenet1_0", "--data", leaf / "test")
    _, found = result(tmp_path, "score", *arguments, "--limit", 8, "--criterion", "taylor")
    assert found["data"]["preprocessing"]["crop"] == 224
    assert found["data"]["splits"] == {"calibration": 8}
    assert max(max(layer["saliency"]["taylor"]) for layer in found["layers"]) > 0
    assert found["network"]["classes"] == sorted(path.name for path in (leaf / "test").iterdir())


def test_without_images_the_weights_alone_are_scored(tmp_path: Path) -> None:
    path = tmp_path / "mine.pt"
    path.write_bytes(checkpoint(classes=10))
    done, found = result(tmp_path, "score", path)
    assert found["data"] is None and "Of the weights alone: no image was looked at." in done.out
    given = found["layers"][0]["saliency"]
    assert set(given) == {name for name, each in CRITERIA.items() if each.of_weights and name != "bn_scale"}
    _, one = result(tmp_path, "score", path, "--criterion", "l1")
    _, seen = result(tmp_path, "score", path, "--criterion", "l1", "--data", "demo", "--limit", 10)
    assert [layer["saliency"] for layer in one["layers"]] == [layer["saliency"] for layer in seen["layers"]]
    assert one["layers"][0]["saliency"]["l1"] == given["l1"]
    assert {name for name, each in CRITERIA.items() if each.of_weights} == {
        "weight",
        "l1",
        "fpgm",
        "bn_scale",
        "random",
    }
