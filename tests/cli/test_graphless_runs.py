"""A network that can't be exported: told before the work, pruned all the same, and opened again from its run."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from graphless import summed
from invoke import result, run

from explorer.runs.opening import UnexportedRun, place
from explorer.runs.store import read_run
from explorer.upkeep.audit import OK, audit

WHY = "can't be exported: line "
PRUNE = ("--criterion", "weight", "--until", "units=0.6", "--step", 2, "--limit", 8)


@pytest.fixture(scope="module")
def mine(few: Path, tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    """The arguments that open such a network with the few digits."""
    path = tmp_path_factory.mktemp("graphless") / "mine.pt"
    torch.save(summed().state_dict(), path)
    return [path, "--arch", "graphless:summed", "--data", few, "--mean", "0.13", "--std", "0.31"]


ARCH = ("--arch", "graphless:summed")


def test_inspect_says_so(mine: list[object], tmp_path: Path) -> None:
    done, found = result(tmp_path, "inspect", *mine)
    assert found["export"].startswith(f"mine.pt {WHY}") and found["units"] == 10
    assert f"mine.pt {WHY}" in done.out


@pytest.mark.parametrize("updates", [0, 2])
def test_a_run_opens_again_with_the_figures_that_it_ended_with(
    mine: list[object], tmp_path: Path, updates: int
) -> None:
    folder = tmp_path / "run"
    done, found = result(tmp_path, "prune", *mine, *PRUNE, "--updates", updates, "--out", folder)
    assert f"mine.pt {WHY}" in done.err and "RUN gets no network.safetensors: commands with the same --arch" in done.err
    assert not (folder / "network.safetensors").exists() and read_run(folder).finished
    assert isinstance(place(str(folder), "graphless:summed"), UnexportedRun)
    _, again = result(tmp_path, "evaluate", folder, *ARCH, "--split", "validation")
    for name in ("loss", "accuracy", "parameters", "flops"):
        assert again[name] == pytest.approx(found["after"][name], rel=1e-5)
    assert again["network"]["units"] == found["after"]["units"] < 10
    _, once_more = result(tmp_path, "prune", folder, *ARCH, *PRUNE, "--out", tmp_path / "next")
    assert once_more["before"]["units"] == found["after"]["units"]
    _, whole = result(tmp_path, "prune", *mine, *PRUNE, "--updates", updates, "--out", folder, "--resume")
    assert whole["after"] == found["after"]


def test_it_is_opened_only_as_a_person_says(mine: list[object], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run("prune", *mine, *PRUNE, "--out", folder)
    told = {
        ("evaluate", folder): "'graphless:summed' is your own code",
        ("evaluate", folder, *ARCH, "--mean", "0.5"): "how its images are prepared can't be changed",
        ("export", folder, *ARCH, "--out", tmp_path / "out"): f"run {WHY}",
    }
    for command, why in told.items():
        done = run(*command)
        assert done.code == 2 and why in done.err and done.err.count("\n") == 1
    torch.save(summed().double().state_dict() | {"head.bias": torch.ones(10)}, str(mine[0]))
    done = run("evaluate", folder, *ARCH)
    torch.save(summed().state_dict(), str(mine[0]))
    assert done.code == 2 and "mine.pt is no longer the network that the run in" in done.err


def test_fine_tuned_it_is_a_checkpoint_of_its_architecture(mine: list[object], tmp_path: Path) -> None:
    folder = tmp_path / "tuned"
    done, found = result(tmp_path, "finetune", "--weights", *mine, "--epochs", 1, "--out", folder)
    assert WHY in done.err and "RUN gets its weights alone" in done.err
    _, again = result(tmp_path, "evaluate", folder, *ARCH, "--split", "validation")
    assert again["loss"] == pytest.approx(found["epochs"][-1]["loss"], rel=1e-5)


def test_such_a_run_lacks_nothing(mine: list[object], tmp_path: Path) -> None:
    run("prune", *mine, *PRUNE, "--updates", 1, "--out", tmp_path / "runs" / "one")
    assert {each.standing for each in audit(tmp_path)} == {OK}
