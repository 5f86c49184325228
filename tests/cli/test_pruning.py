"""prune, export and verify: the chain that a person takes a smaller network away by."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from invoke import Done, result, run
from of_demo import UNITS, WIDTHS

from explorer import open_network
from explorer.data import Batches
from explorer.evaluation.evaluate import Outcome, evaluate
from explorer.export import load_pruned
from explorer.networks.network import Network
from explorer.runs.store import read_run

ENVELOPE = {"network", "data", "settings", "seconds"}
STEP = UNITS // 11
SETTINGS = ("--criterion", "taylor", "--until", "flops=0.5", "--step", STEP)


@pytest.fixture(scope="module")
def pruned(few: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done, dict[str, Any]]:
    """A run folder and what the command said."""
    folder = tmp_path_factory.mktemp("pruned")
    done, found = result(folder, "prune", "demo", "--data", few, *SETTINGS, "--out", folder / "run")
    return folder / "run", done, found


def test_prune_meets_its_target_and_says_what_is_gone(pruned: tuple[Path, Done, dict[str, Any]]) -> None:
    _, done, found = pruned
    assert set(found) == ENVELOPE | {"before", "after", "removed", "ending", "from_scratch"}
    before, after = found["before"], found["after"]
    assert set(before) == set(after) == {"units", "parameters", "flops", "loss", "accuracy"}
    assert before["units"] == UNITS
    assert after["flops"] <= 0.5 * before["flops"]
    assert len(found["removed"]) == before["units"] - after["units"]
    assert len({(unit["layer"], unit["channel"]) for unit in found["removed"]}) == len(found["removed"])
    assert found["data"]["splits"] == {"calibration": 16, "validation": 16}
    assert found["settings"]["step"] == STEP
    assert "16 validation images of few, seed 0, on cpu, before fine-tuning" in done.out


def test_limits_hold_to_the_end(few: Path, tmp_path: Path) -> None:
    limits = ("--keep", "features.0", "--floor", 2, "--floor", "features.2=6", "--multiple", 2)
    _, found = result(tmp_path, "prune", "demo", "--data", few, *SETTINGS, *limits, "--out", tmp_path / "run")
    network = open_network(tmp_path / "run")
    widths = {layer.name: len(layer) for layer in network.units.layers}
    assert widths["features.0"] == WIDTHS[0] and widths["features.2"] == 6
    assert all(width % 2 == 0 for width in widths.values()) and sum(widths.values()) == found["after"]["units"]
    assert found["settings"]["limits"] == {
        **{"floor": 2, "floors": {"features.0": WIDTHS[0], "features.2": 6}, "multiple": 2},
        **{"stay": {}, "go": {}},
    }


def test_the_run_folder_holds_every_step_and_the_network(pruned: tuple[Path, Done, dict[str, Any]]) -> None:
    folder, _, found = pruned
    saved = read_run(folder)
    assert saved.timeline is not None
    gone = [len(state.removed) for state in saved.timeline.states.values()]
    assert gone[:3] == [0, STEP, STEP] and all(gone[1:])
    assert set(saved.timeline.states[2].settings) >= {"criterion", "scaling", "seed", "updates", "recipe"}
    assert saved.timeline.state.metrics.flops == found["after"]["flops"]
    network = open_network(folder)
    assert sum(p.numel() for p in network.module.parameters()) == found["after"]["parameters"]
    original = set(open_network("demo").units.labels)
    assert original - set(network.units.labels) == {(unit["layer"], unit["channel"]) for unit in found["removed"]}


def test_a_run_folder_is_a_network_whose_data_is_known(
    pruned: tuple[Path, Done, dict[str, Any]], tmp_path: Path
) -> None:
    folder, _, found = pruned
    _, measured = result(tmp_path, "evaluate", folder, "--split", "validation")
    assert measured["loss"] == pytest.approx(found["after"]["loss"], rel=1e-4)
    assert measured["data"]["name"] == "few"
    assert result(tmp_path, "evaluate", folder)[1]["data"]["splits"] == {"test": 16}


def test_a_run_is_never_overwritten(pruned: tuple[Path, Done, dict[str, Any]], few: Path) -> None:
    folder, _, _ = pruned
    before = (folder / "run.json").read_bytes()
    done = run("prune", "demo", "--data", few, *SETTINGS, "--out", folder)
    assert done.code == 2
    assert "already holds a run.json" in done.err
    assert (folder / "run.json").read_bytes() == before


def test_resume_keeps_a_finished_run_of_the_same_settings(
    pruned: tuple[Path, Done, dict[str, Any]], few: Path, tmp_path: Path
) -> None:
    folder, _, found = pruned
    done, again = result(tmp_path, "prune", "demo", "--data", few, *SETTINGS, "--out", folder, "--resume")
    assert "nothing was done" in done.err
    assert [again[key] for key in ("before", "after", "removed")] == [found[k] for k in ("before", "after", "removed")]
    other = run("prune", "demo", "--data", few, *SETTINGS, "--scaling", "none", "--out", folder, "--resume")
    assert (other.code, "with scaling l2, not none" in other.err) == (2, True)


def test_flops_penalty_is_the_price_of_flops(few: Path, tmp_path: Path) -> None:
    arguments = ("prune", "demo", "--data", few, "--criterion", "weight", "--until", "units=0.9", "--step", 23)
    _, one = result(tmp_path, *arguments, "--flops-penalty", 0.5, "--out", tmp_path / "one")
    _, other = result(tmp_path, *arguments, "--price", "flops=0.5", "--out", tmp_path / "other")
    _, free = result(tmp_path, *arguments, "--out", tmp_path / "free")
    assert (one["settings"]["price"], one["settings"]["penalty"]) == ("flops", 0.5)
    assert one["removed"] == other["removed"] != free["removed"]
    assert one["after"]["flops"] < free["after"]["flops"]
    _, saving = result(tmp_path, *arguments, "--price", "saving=0.5", "--out", tmp_path / "saving")
    assert saving["after"]["flops"] <= one["after"]["flops"]


def test_default_step_is_one_percent_of_the_units(few: Path, tmp_path: Path) -> None:
    arguments = ("--criterion", "weight", "--until", "units=0.98", "--out", tmp_path / "run")
    _, found = result(tmp_path, "prune", "demo", "--data", few, *arguments)
    assert found["settings"]["step"] == UNITS // 100
    assert found["after"]["units"] == math.floor(0.98 * UNITS)  # the first count of at most that


def test_updates_between_steps_change_weights(few: Path, tmp_path: Path) -> None:
    arguments = ("--criterion", "taylor", "--until", "units=0.9", "--step", 23, "--updates", 2, "--learning-rate", 0.01)
    done, found = result(tmp_path, "prune", "demo", "--data", few, *arguments, "--out", tmp_path / "run")
    assert found["data"]["splits"]["finetune"] == 32
    tuned, loaded = open_network(tmp_path / "run"), open_network("demo")
    assert not torch.isin(next(tuned.module.parameters()), next(loaded.module.parameters())).all()
    updates = 2 * max(read_run(tmp_path / "run").timeline.states)
    assert f"after {updates} fine-tuning updates." in done.out
    assert found["settings"]["stage"] == "after fine-tuning" and found["settings"]["fine_tuning_updates"] == updates
    assert f"after {updates} fine-tuning updates" in run("evaluate", tmp_path / "run").out


def test_work_cancelled_before_its_first_state_leaves_nothing(
    few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("explorer.pruning.procedure.iterate", interrupted)
    done = run("prune", "demo", "--data", few, *SETTINGS, "--out", tmp_path / "run", "--json", tmp_path / "r.json")
    assert (done.code, done.err.strip()) == (1, "Cancelled; nothing was written.")
    assert list(tmp_path.iterdir()) == []


def test_a_failure_of_our_own_is_not_dressed_as_bad_input(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PRUNING_EXPLORER_WORKDIR", str(tmp_path))
    monkeypatch.setattr("explorer.cli.inspecting.list_layers", lambda network, costs: 1 / 0)
    done = run("inspect", "demo")
    assert done.code == 1 and "did not foresee (ZeroDivisionError)" in done.err and done.err.count("\n") == 1


@pytest.fixture(scope="module")
def exported(pruned: tuple[Path, Done, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    _, found = result(folder, "export", pruned[0], "--format", "safetensors", "--out", folder / "out")
    assert {entry["format"] for entry in found["files"]} == {"safetensors", "manifest", "proof"}
    assert all(Path(entry["path"]).is_file() for entry in found["files"])
    return folder / "out"


def test_a_network_that_measures_something_else_is_not_exported(
    pruned: tuple[Path, Done, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(network: Network, batches: Batches, **options: Any) -> Outcome:
        found = evaluate(network, batches)
        return Outcome(-found.logits, found.labels)

    monkeypatch.setattr("explorer.cli.exporting.evaluate", wrong)
    done = run("export", pruned[0], "--out", tmp_path / "out")
    assert done.code == 2 and "no longer measures what its run says" in done.err and not (tmp_path / "out").exists()


def test_an_export_knows_widths_metrics_and_origin(exported: Path, pruned: tuple[Path, Done, dict[str, Any]]) -> None:
    _, _, found = pruned
    manifest = load_pruned(exported / "network.safetensors").manifest
    assert sum(layer.width_before for layer in manifest.layers) == found["before"]["units"]
    assert sum(layer.width_after for layer in manifest.layers) == found["after"]["units"]
    assert manifest.metrics["after"]["accuracy"] == found["after"]["accuracy"]
    assert manifest.provenance["settings"]["criterion"] == "taylor"


def test_verify_reloads_the_export_and_agrees(exported: Path, tmp_path: Path) -> None:
    done, found = result(tmp_path, "verify", exported)
    assert set(found) == ENVELOPE | {"files"}
    (file,) = found["files"]
    assert set(file) >= {"path", "format", "ok", "max_abs_difference", "agreement", "accuracy"}
    assert (file["path"], file["ok"], file["agreement"]) == (str(exported / "network.safetensors"), True, 1.0)
    assert file["max_abs_difference"] < 1e-4
    assert "16 images of proof.safetensors" in done.out


def test_a_file_that_fails_its_proof_ends_with_1(exported: Path, tmp_path: Path) -> None:
    shutil.copytree(exported, tmp_path / "bad")
    (tmp_path / "bad" / "network.safetensors").write_bytes(b"nothing of use")
    done = run("verify", tmp_path / "bad", "--json", tmp_path / "v.json")
    (file,) = json.loads((tmp_path / "v.json").read_text())["files"]
    assert done.code == 1
    assert (file["ok"], file["max_abs_difference"], file["agreement"]) == (False, None, None)
    assert "is not a safetensors file" in done.out


def test_any_network_can_be_exported(few: Path, tmp_path: Path) -> None:
    assert run("export", "demo", "--data", few, "--out", tmp_path / "out").code == 0
    assert open_network(tmp_path / "out" / "network.safetensors").units.labels == open_network("demo").units.labels


def test_pruning_a_pruned_network_keeps_the_first_widths(
    pruned: tuple[Path, Done, dict[str, Any]], tmp_path: Path
) -> None:
    folder, _, _ = pruned
    arguments = ("--criterion", "weight", "--until", "units=0.9", "--step", 100, "--out", tmp_path / "second")
    assert run("prune", folder, *arguments).code == 0
    manifest = load_pruned(tmp_path / "second" / "network.safetensors").manifest
    assert sum(layer.width_before for layer in manifest.layers) == UNITS


def test_exports_stay_out_of_run_folders(pruned: tuple[Path, Done, dict[str, Any]]) -> None:
    done = run("export", pruned[0], "--out", pruned[0])
    assert (done.code, "is the folder of a run: give another" in done.err) == (2, True)
