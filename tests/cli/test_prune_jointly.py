"""prune --criterion joint: joint linearised pruning as a command."""

from __future__ import annotations

from pathlib import Path

import pytest
from invoke import result, run
from of_demo import UNITS

from explorer import open_network
from explorer.data import open_images
from explorer.networks.costs import measure_costs
from explorer.networks.load import batches_for
from explorer.networks.units import none_removed
from explorer.pruning.joint import Course, default_step, select, selection
from explorer.pruning.plan import to_json
from explorer.runs.store import read_run


def test_half_of_the_demo_goes_as_the_engine_selects_it(few: Path, tmp_path: Path) -> None:
    arguments = ("--criterion", "joint", "--until", "units=0.5", "--out", tmp_path / "run")
    done, found = result(tmp_path, "prune", "demo", "--data", few, *arguments)
    network = open_network("demo")
    images = batches_for(network, open_images(str(few)), "calibration")
    plan = select(network, measure_costs(network), images, none_removed(network.units), Course("units", 0.5))
    assert found["removed"] == to_json(network.units, plan)
    assert (found["after"]["units"], found["settings"]["step"]) == (UNITS // 2, default_step(network.units))
    assert "demo pruned by Joint linearised" in done.out
    states = read_run(tmp_path / "run").timeline.states
    assert states[1].how == f"{len(states[1].removed)} units by Joint linearised"
    assert len(states[1].removed) >= round(0.04 * UNITS)  # and more while they change nothing


def test_a_step_that_is_given_is_kept(tiny: list[object], tmp_path: Path) -> None:
    arguments = ("--criterion", "joint", "--until", "units=0.4", "--step", 2, "--out", tmp_path / "run")
    assert run("prune", *tiny, *arguments).code == 0
    states = read_run(tmp_path / "run").timeline.states.values()
    assert [len(state.removed) for state in states] == [0, 2, 2, 2, 1]


@pytest.mark.parametrize("updates", [0, 2])
def test_stopped_it_goes_on_to_the_same_network(
    tiny: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, updates: int
) -> None:
    arguments = ("--criterion", "joint", "--until", "units=0.4", "--step", 2, "--updates", updates, "--out")
    assert run("prune", *tiny, *arguments, tmp_path / "whole").code == 0
    real, calls = selection.linearise_all, iter(range(100))

    def stopped(*given, **options):
        if next(calls) == 2:
            raise KeyboardInterrupt
        return real(*given, **options)

    monkeypatch.setattr(selection, "linearise_all", stopped)
    assert run("prune", *tiny, *arguments, tmp_path / "run").code == 1
    monkeypatch.undo()
    assert len(read_run(tmp_path / "run").timeline.states) == 3
    assert run("prune", *tiny, *arguments, tmp_path / "run", "--resume").code == 0
    whole, again = ({p.name: p.read_bytes() for p in (tmp_path / name).iterdir()} for name in ("whole", "run"))
    assert again == whole


def test_a_penalty_spares_what_is_cheap(tiny: list[object], tmp_path: Path) -> None:
    arguments = ("--criterion", "joint", "--until", "units=0.7", "--flops-penalty", 1e6, "--out", tmp_path / "run")
    _, found = result(tmp_path, "prune", *tiny, *arguments)
    assert {unit["layer"] for unit in found["removed"]} == {"0"}  # 2*784*10 FLOPs a map against 2*49*55


def test_the_help_says_what_it_is() -> None:
    said = run("prune", "--help").out
    assert "joint: Place in the order in which units go together" in " ".join(said.split())


def test_a_target_out_of_reach_is_bad_input(tiny: list[object], tmp_path: Path) -> None:
    done = run("prune", *tiny, "--criterion", "joint", "--until", "units=0.01", "--out", tmp_path / "run")
    assert (done.code, "units=0.01 can't be reached" in done.err) == (2, True)
