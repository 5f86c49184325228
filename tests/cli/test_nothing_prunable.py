"""A network in which nothing can be pruned: commands that need units say so, the others work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from invoke import result, run
from torch import nn


def make(num_classes: int = 10) -> nn.Module:
    """(N, 1, 28, 28) -> (N, num_classes): its one layer is fully connected."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(16, num_classes))


@pytest.fixture(scope="module")
def bare(few: Path, tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    """The arguments that open it, with its images."""
    path = tmp_path_factory.mktemp("bare") / "bare.pt"
    torch.save(make().state_dict(), path)
    prepared = ("--size", 28, "--crop", 28, "--mean", "0.13", "--std", "0.31")
    return [path, "--arch", "test_nothing_prunable:make", "--data", few, *prepared]


@pytest.mark.parametrize(
    "command",
    [
        ["score"],
        ["oracle"],
        ["correlate"],
        ["prune", "--criterion", "taylor", "--until", "units=0.5", "--out"],
        ["race", "--criteria", "taylor,random", "--until", "units=0.5", "--out"],
    ],
)
def test_commands_that_need_units_refuse_it_in_one_sentence(
    bare: list[object], tmp_path: Path, command: list[str]
) -> None:
    out = [tmp_path / "out"] if command[-1] == "--out" else []
    done = run(command[0], *bare, *command[1:], *out)
    assert done.code == 2
    assert done.err == (
        "Error: bare.pt has no unit that can be pruned: the command inspect, or the page Network, says of each layer "
        "why.\n"
    )
    assert not (tmp_path / "out").exists()


def test_it_is_inspected_evaluated_and_exported(bare: list[object], tmp_path: Path) -> None:
    _, found = result(tmp_path, "inspect", *bare)
    assert [(layer["name"], layer["prunable"]) for layer in found["layers"]] == [("2", False)]
    _, found = result(tmp_path, "evaluate", *bare)
    assert found["images"] == 80
    done = run("export", *bare, "--format", "safetensors", "--out", tmp_path / "out")
    assert done.code == 0, done.err
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["layers"] == []
