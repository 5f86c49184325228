"""A checkpoint without images: pruned by its weights, exported and proven; what takes images is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from invoke import result, run
from safetensors import safe_open
from samples_at_hand import checkpoint

TO_HALF = ("--criterion", "l1", "--until", "units=0.5", "--step", 120)


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mine") / "mine.pt"
    path.write_bytes(checkpoint(classes=10))
    return path


@pytest.fixture(scope="module")
def pruned(mine: Path) -> Path:
    """The folder of a run without images, taken to half of the units."""
    done, found = result(mine.parent, "prune", mine, *TO_HALF, "--out", mine.parent / "run")
    assert "not measured" in done.out and "no image was looked at" in done.out
    assert found["data"] is None and found["settings"]["stage"] == "before fine-tuning"
    for side in ("before", "after"):
        assert found[side]["loss"] is None and found[side]["accuracy"] is None
    assert found["after"]["units"] <= found["before"]["units"] / 2
    return mine.parent / "run"


def test_a_run_without_images_says_null_and_opens_again(pruned: Path) -> None:
    content = json.loads((pruned / "run.json").read_text())
    measured = [state["metrics"] for state in content["timeline"]["states"].values()]
    assert {(each["loss"], each["accuracy"], each["images"]) for each in measured} == {(None, None, 0)}
    assert content["data"] == {"source": None, "seed": 0, "digest": None, "splits": {}}
    _, found = result(pruned.parent, "inspect", pruned)
    assert found["network"]["units"] == json.loads((pruned.parent / "result.json").read_text())["network"]["units"]
    assert run("check", pruned).code == 0


def test_it_goes_on_with_resume_where_it_was_stopped(mine: Path, pruned: Path, tmp_path: Path) -> None:
    content = json.loads((pruned / "run.json").read_text())
    done = run("prune", mine, *TO_HALF, "--out", pruned, "--resume")
    assert done.code == 0 and "already holds this run, finished" in done.err
    assert json.loads((pruned / "run.json").read_text()) == content
    other = run("prune", mine, *TO_HALF, "--out", pruned, "--resume", "--data", "demo")
    assert other.code == 2 and "give another --out" in other.err and "Traceback" not in other.err


def test_its_export_is_proven_on_random_inputs_and_says_so(pruned: Path, tmp_path: Path) -> None:
    done, found = result(tmp_path, "export", pruned, "--format", "safetensors,model,report", "--out", tmp_path / "out")
    assert "64 random inputs (seed 0)" in done.out and found["data"] is None
    with safe_open(tmp_path / "out" / "proof.safetensors", "pt") as proof:
        assert set(proof.keys()) == {"inputs", "logits", "mean", "std"}
        assert proof.get_tensor("inputs").std() > 0.5
    page = (tmp_path / "out" / "report.html").read_text()
    assert "not measured" in page and "nan" not in page
    assert "Accuracy" not in (tmp_path / "out" / "model.py").read_text()
    done, verified = result(tmp_path, "verify", tmp_path / "out", "--trust")
    assert "64 random inputs (seed 0)" in done.out and "has an accuracy" not in done.out
    assert [each["ok"] for each in verified["files"]] == [True, True]
    assert {each["accuracy"] for each in verified["files"]} == {None} == {verified["data"]["accuracy"]}


def test_a_plan_of_it_is_replayed(mine: Path, pruned: Path, tmp_path: Path) -> None:
    assert run("export", pruned, "--format", "plan", "--out", tmp_path / "out").code == 0
    _, found = result(tmp_path, "replay", mine, "--plan", tmp_path / "out" / "plan.json", "--out", tmp_path / "again")
    states = json.loads((pruned / "run.json").read_text())["timeline"]["states"]
    assert found["parameters"] == states["2"]["metrics"]["parameters"]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--criterion", "taylor", "--until", "units=0.5"), "--criterion taylor"),
        (("--criterion", "l1", "--until", "accuracy=0.9"), "--until accuracy=0.9"),
        (("--criterion", "l1", "--until", "units=0.5", "--updates", 2), "--updates 2"),
        (("--criterion", "l1", "--until", "units=0.5", "--scratch-updates", 2), "--scratch-updates 2"),
    ],
)
def test_the_option_that_takes_images_is_named(
    mine: Path, options: tuple[object, ...], named: str, tmp_path: Path
) -> None:
    done = run("prune", mine, *options, "--out", tmp_path / "run")
    assert done.code == 2 and "Give --data" in done.err and f"{named} takes some" in done.err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("command", ["evaluate", "oracle", "correlate", "race"])
def test_commands_that_measure_refuse_a_run_without_images_in_one_sentence(
    pruned: Path, command: str, tmp_path: Path
) -> None:
    more = ("--criteria", "l1", "--until", "units=0.5", "--out", tmp_path / "race") if command == "race" else ()
    done = run(command, pruned, *more)
    assert done.code == 2 and "Give --data" in done.err and len(done.err.strip().splitlines()) == 1


def test_how_images_are_prepared_must_be_known_of_what_is_written(tiny: list[object], tmp_path: Path) -> None:
    path, *arch = tiny[:3]
    until = ("--criterion", "l1", "--until", "units=0.7")
    done = run("prune", path, *arch, *until, "--out", tmp_path / "run")
    assert done.code == 2 and "Give --mean and --std" in done.err
    prepared = ("--size", 28, "--crop", 28, "--mean", "0.13", "--std", "0.31")
    assert run("prune", path, *arch, *until, *prepared, "--out", tmp_path / "run").code == 0
