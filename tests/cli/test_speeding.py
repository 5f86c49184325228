"""`speed`: a run, or an export with its original, timed before and after pruning."""

from __future__ import annotations

from pathlib import Path

import pytest
from invoke import result, run

FEW = ("--limit", 16, "--criterion", "weight", "--until", "units=0.5")
OWN = ("--arch", "tiny:make")  # only the person may name code of their own, not the run
QUICK = ("--runs", 2, "--batch", 1, "--batch", 2, "--threads", 1)


@pytest.fixture(scope="module")
def pruned(tiny: list[object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny network's run, with half of its units left."""
    folder = tmp_path_factory.mktemp("speed") / "run"
    done = run("prune", *tiny, *FEW, "--out", folder)
    assert done.code == 0, done.err
    return folder


def test_a_run_is_timed_before_and_after_pruning(pruned: Path, tmp_path: Path) -> None:
    done, found = result(tmp_path, "speed", pruned, *OWN, *QUICK, "--multiple", 2)
    assert [(t["full"]["batch"], t["pruned"]["batch"]) for t in found["timings"]] == [(1, 1), (2, 2)]
    assert found["theoretical"] == found["full"]["flops"] / found["pruned"]["flops"] > 1
    assert found["speed_ups"] == [t["full"]["median"] / t["pruned"]["median"] for t in found["timings"]]
    for words in ("eager, batch 2, 1 thread, cpu", "Molchanov et al.", "VGG-16", "2565", "2.1x"):
        assert words in done.out


def test_an_export_is_timed_beside_the_original_in_it(pruned: Path, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    assert run("export", pruned, *OWN, "--out", folder, "--original").code == 0
    _, of_export = result(tmp_path, "speed", folder, *QUICK)
    _, of_run = result(tmp_path, "speed", pruned, *OWN, *QUICK)
    for side in ("full", "pruned"):
        assert {k: v for k, v in of_export[side].items() if k != "memory"} == {
            k: v for k, v in of_run[side].items() if k != "memory"
        }


def test_what_has_no_network_before_pruning_says_what_to_give(pruned: Path, tmp_path: Path) -> None:
    folder = tmp_path / "export"
    assert run("export", pruned, "--out", folder).code == 0
    done = run("speed", folder, *QUICK)
    assert done.code == 2
    assert "holds no network before pruning: give a run folder, or what `export --original` has written." in done.err
