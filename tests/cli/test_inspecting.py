"""inspect and evaluate: what a network is, and how good."""

from __future__ import annotations

from pathlib import Path

import pytest
from invoke import result, run
from of_demo import UNITS, WIDTHS

from explorer import open_network
from explorer.data import Batches, open_images
from explorer.evaluation.evaluate import evaluate
from explorer.networks import load
from explorer.networks.costs import measure_costs

ENVELOPE = {"network", "data", "settings", "seconds"}


def test_inspect_lists_every_layer_in_order_with_reasons(tmp_path: Path) -> None:
    done, found = result(tmp_path, "inspect", "demo")
    assert set(found) == ENVELOPE | {"parameters", "flops", "units", "layers", "export"}
    assert found["export"] is None
    assert all(set(e) == {"name", "units", "parameters", "flops", "prunable", "reason"} for e in found["layers"])
    assert [e["units"] for e in found["layers"]] == [*WIDTHS, 0, 0]
    assert [e["prunable"] for e in found["layers"]] == [True] * 6 + [False] * 2
    assert [e["reason"] is None for e in found["layers"]] == [True] * 6 + [False] * 2
    assert found["layers"][0]["parameters"] == WIDTHS[0] * (9 + 1)
    assert found["layers"][0]["flops"] == 2 * 28 * 28 * (9 + 1) * WIDTHS[0]
    for key in ("parameters", "flops", "units"):  # no batch-norm: the layers are all there is
        assert sum(e[key] for e in found["layers"]) == found[key]
    assert "1 multiply-add = 2 FLOPs" in done.out
    assert "features.12" in done.out


@pytest.mark.parametrize("changed", [(), ("--mean", "0.5", "--std", "0.25")])
def test_a_network_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: tuple[str, ...]) -> None:
    built, assemble = [], load.assemble
    monkeypatch.setattr(load, "assemble", lambda *given: built.append(given[0]) or assemble(*given))
    _, found = result(tmp_path, "inspect", "demo", *changed)
    assert built == ["demo"] and found["units"] == UNITS


def test_inspect_of_a_residual_network_counts_added_feature_maps_once(shared_data: Path, tmp_path: Path) -> None:
    checkpoint = shared_data / "cifar10" / "resnet20-12fca82f.th"
    _, found = result(tmp_path, "inspect", checkpoint, "--arch", "explorer:resnet20")
    layers = {e["name"]: e for e in found["layers"]}
    assert sum(e["units"] for e in found["layers"]) == found["units"]
    assert layers["conv1"]["prunable"]
    assert layers["layer1.0.conv2"]["units"] == 0
    assert "with the units of conv1" in layers["layer1.0.conv2"]["reason"]
    assert found["data"] is None


def test_evaluate_says_what_the_engine_says(tmp_path: Path) -> None:
    done, found = result(tmp_path, "evaluate", "demo", "--limit", 48, "--seed", 3)
    assert set(found) == ENVELOPE | {"loss", "accuracy", "images", "parameters", "flops", "latency_ms"}
    network = open_network("demo")
    batches = Batches(open_images("demo", seed=3), "test", network.preprocessing, 48)
    outcome, costs = evaluate(network, batches), measure_costs(network)
    assert found["loss"] == pytest.approx(outcome.loss, rel=1e-5)
    assert found["accuracy"] == outcome.accuracy
    assert (found["images"], found["parameters"], found["flops"]) == (48, costs.parameters(), costs.flops())
    assert found["latency_ms"] > 0
    assert found["network"]["digest"] == network.digest
    assert found["data"]["splits"] == {"test": 48}
    assert found["data"]["seed"] == 3
    assert "48 test images of demo, seed 3, on cpu" in done.out


def test_evaluate_takes_all_images_unless_the_data_or_a_person_names_a_split(few: Path, tmp_path: Path) -> None:
    assert result(tmp_path, "evaluate", "demo", "--data", few)[1]["data"]["splits"] == {"all": 80}
    chosen = result(tmp_path, "evaluate", "demo", "--data", few, "--split", "validation")[1]
    assert chosen["data"]["splits"] == {"validation": 16}


def test_preprocessing_can_be_overridden(few: Path, tmp_path: Path) -> None:
    usual = result(tmp_path, "evaluate", "demo", "--data", few)[1]
    _, found = result(tmp_path, "evaluate", "demo", "--data", few, "--mean", "0.5", "--std", "0.25")
    assert found["data"]["preprocessing"]["mean"] == [0.5]
    assert found["data"]["preprocessing"]["std"] == [0.25]
    assert found["loss"] != usual["loss"]


def test_resnet20_scores_what_its_data_card_says(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "cifar10"
    arguments = (folder / "resnet20-12fca82f.th", "--arch", "explorer:resnet20", "--data", folder / "test_jpeg")
    _, found = result(tmp_path, "evaluate", *arguments)
    assert found["accuracy"] == pytest.approx(0.809, abs=1e-6)
    assert found["images"] == 1000


def test_images_that_cannot_be_read_are_named(few: Path, tmp_path: Path) -> None:
    from PIL import Image

    for label in range(10):
        (tmp_path / str(label)).mkdir()
        Image.new("L", (28, 28), 20 * label).save(tmp_path / str(label) / "a.png")
    (tmp_path / "3" / "b.png").write_bytes(b"no image")
    done = run("evaluate", "demo", "--data", tmp_path)
    assert done.code == 0
    assert "1 of 11 images left out: it is no JPEG, " in done.err
    assert "b.png" in done.err
