"""`share`: a run as one HTML file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from invoke import Done, result, run
from shared_pages import held, without_place

from explorer.export.sharing.explored import NO_ORACLE


@pytest.fixture(scope="module")
def folder(tiny: list[object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two steps without fine-tuning."""
    out = tmp_path_factory.mktemp("run") / "out"
    done = run("prune", *tiny, "--criterion", "weight", "--until", "units=0.6", "--step", 3, "--out", out)
    assert done.code == 0, done.err
    return out


def share(folder: Path, out: Path, *more: object) -> Done:
    return run("share", folder, "--arch", "tiny:make", "--out", out, *more)


def test_the_numbers_of_the_file_are_those_of_run_json_and_of_the_other_commands(
    folder: Path, tiny: list[object], tmp_path: Path
) -> None:
    assert share(folder, tmp_path / "a.html", "--oracle", "whole", "--limit", 20).code == 0
    kept, content = json.loads((folder / "run.json").read_text()), (tmp_path / "a.html").read_bytes()
    found, measured = held(content, "run"), held(content, "measured")
    assert (found["timeline"], found["settings"]) == (kept["timeline"], kept["settings"])
    assert found["network"] == without_place(kept["network"])
    assert str(folder.parent).encode() not in content and str(tiny[0]).encode() not in content
    _, scored = result(tmp_path, "score", *tiny, "--criterion", "taylor", "--limit", 20)
    values = [value for layer in scored["layers"] for value in layer["saliency"]["taylor"]]
    assert measured["criteria"]["taylor"]["saliency"] == pytest.approx(values, rel=1e-5)
    _, truth = result(tmp_path, "oracle", *tiny, "--limit", 20)
    losses = [value for layer in truth["layers"] for value in layer["oracle_loss"]]
    assert measured["oracle"]["loss"] == pytest.approx(losses, rel=1e-4, abs=1e-8)


def test_without_the_oracle_that_is_said_and_the_same_run_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    done, again = share(folder, tmp_path / "a.html"), share(folder, tmp_path / "b.html")
    assert (done.code, again.code) == (0, 0)
    assert NO_ORACLE in done.err
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_only_a_run_is_shared(folder: Path, tmp_path: Path) -> None:
    done = run("share", "demo", "--out", tmp_path / "a.html")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "demo is not a run with measured states" in done.err
    assert not (tmp_path / "a.html").exists()
    before = (folder / "run.json").read_bytes()
    assert share(folder, folder / "run.json").code == 2
    assert (folder / "run.json").read_bytes() == before
