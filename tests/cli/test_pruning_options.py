"""prune: budgets, rankings from updates, the control from scratch, units by hand, and which weights are kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from invoke import Done, result, run

from explorer.cli.limit_options import channels_by_layer
from explorer.pruning.settings import Settings
from explorer.runs import pruning_runs, run_folders, store
from explorer.runs.store import read_run

BASE = ("--criterion", "taylor", "--step", 2, "--learning-rate", 0.05)


def pruned(tiny: list[object], out: Path, *more: object) -> Done:
    return run("prune", *tiny, *BASE, *more, "--out", out)


def held(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def interrupt(monkeypatch: pytest.MonkeyPatch, name: str, call: int) -> None:
    """Stop right after the given call of a function that writes."""
    real, calls = getattr(store, name), iter(range(1, 1000))

    def stopped(*given: Any, **options: Any) -> Any:
        found = real(*given, **options)
        if next(calls) == call:
            raise KeyboardInterrupt
        return found

    for module in (pruning_runs, run_folders):
        monkeypatch.setattr(module, name, stopped, raising=False)


def test_the_result_is_the_last_state_within_the_budget(tiny: list[object], tmp_path: Path) -> None:
    done, found = result(tmp_path, "prune", *tiny, *BASE, "--until", "loss=2.9", "--out", tmp_path / "run")
    states = read_run(tmp_path / "run").timeline
    inside = [number for number, state in states.states.items() if state.metrics.loss <= 2.9]
    assert states.current == inside[-1] and found["after"]["loss"] <= 2.9
    assert found["ending"] in " ".join(done.out.split())


@pytest.mark.parametrize("call", [2, 3, 4])
def test_a_run_that_spent_its_budget_is_not_taken_further_after_a_stop(
    tiny: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    monkeypatch.setattr(Settings, "spent", lambda self, metrics: "it is" if metrics.units < 8 else None)
    more = ("--until", "loss=9")
    assert pruned(tiny, tmp_path / "whole", *more).code == 0
    states = read_run(tmp_path / "whole").timeline
    assert [state.metrics.units for state in states.states.values()] == [11, 9, 7] and states.current == 1
    with monkeypatch.context() as patch:
        interrupt(patch, "write_run", call)
        pruned(tiny, tmp_path / "run", *more)
    assert pruned(tiny, tmp_path / "run", *more, "--resume").code == 0
    assert held(tmp_path / "run") == held(tmp_path / "whole")


@pytest.mark.parametrize("call", [1, 2, 3])
def test_rankings_from_updates_end_in_the_same_files_after_a_stop(
    tiny: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    more = ("--until", "units=0.5", "--updates", 2, "--evidence", "updates")
    assert pruned(tiny, tmp_path / "whole", *more).code == 0
    interrupt(monkeypatch, "write_weights", call)
    assert pruned(tiny, tmp_path / "run", *more).code == 1
    monkeypatch.undo()
    assert pruned(tiny, tmp_path / "run", *more, "--resume").code == 0
    assert held(tmp_path / "run") == held(tmp_path / "whole")


def test_evidence_that_can_not_be_had_is_refused_before_anything_is_opened(tiny: list[object], tmp_path: Path) -> None:
    arguments = ("--criterion", "obd", "--until", "units=0.5", "--updates", 2, "--evidence", "updates")
    done = run("prune", "nowhere.pt", *arguments, "--out", tmp_path / "run")
    assert done.code == 2 and "can't be computed from the updates' own minibatches" in done.err and "taylor" in done.err


def test_the_control_is_kept_with_the_run_and_shown(tiny: list[object], tmp_path: Path) -> None:
    more = ("--until", "units=0.5", "--updates", 2, "--out", tmp_path / "run")
    done, found = result(tmp_path, "prune", *tiny, *BASE, *more, "--from-scratch")
    control = read_run(tmp_path / "run").timeline.state.scratch
    assert control is not None and control.updates == 6
    assert (control.metrics.loss, control.metrics.units) == (found["from_scratch"]["loss"], found["after"]["units"])
    assert found["from_scratch"]["updates"] == 6 and found["from_scratch"]["recipe"]["learning_rate"] == 0.05
    assert "From scratch" in done.out and f"{control.metrics.accuracy:.2%}" in done.out
    other = result(tmp_path, "prune", *tiny, *BASE, *more, "--scratch-updates", 3, "--resume")[1]["from_scratch"]
    assert other["updates"] == 3 and other["loss"] != control.metrics.loss


def test_a_control_without_updates_is_refused(tiny: list[object], tmp_path: Path) -> None:
    done = pruned(tiny, tmp_path / "run", "--until", "units=0.5", "--from-scratch")
    assert (done.code, "give --updates, or --scratch-updates" in done.err) == (2, True)


def test_only_the_last_weights_are_kept_where_asked(tiny: list[object], tmp_path: Path) -> None:
    more = ("--until", "units=0.5", "--updates", 2)
    assert pruned(tiny, tmp_path / "all", *more).code == 0
    assert pruned(tiny, tmp_path / "last", *more, "--keep-weights", "last").code == 0
    every, last = held(tmp_path / "all"), held(tmp_path / "last")
    states = read_run(tmp_path / "last").timeline
    assert [state.weights is None for state in states.states.values()] == [True, True, True, False]
    assert {name: last[name] for name in last if name != "run.json"} == {
        name: every[name] for name in ("network.safetensors", states.state.weights)
    }


def test_units_stay_and_go_as_they_were_chosen_also_after_a_stop(
    tiny: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = ("--until", "units=0.5", "--stay", "0:1,3", "--stay", "0:5", "--go", "3:0-1")
    _, found = result(tmp_path, "prune", *tiny, *BASE, *more, "--out", tmp_path / "whole")
    removed = {(unit["layer"], unit["channel"]) for unit in found["removed"]}
    assert {("3", 0), ("3", 1)} <= removed and not removed & {("0", 1), ("0", 3), ("0", 5)}
    assert found["settings"]["limits"]["stay"] == {"0": [1, 3, 5]}
    interrupt(monkeypatch, "write_run", 2)
    pruned(tiny, tmp_path / "run", *more)
    monkeypatch.undo()
    assert pruned(tiny, tmp_path / "run", *more, "--resume").code == 0
    assert held(tmp_path / "run") == held(tmp_path / "whole")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--stay", "3"), "is not of the form LAYER:CHANNELS, such as features.0:3,7-9"),
        (("--stay", "3:x"), "is not of the form LAYER:CHANNELS"),
        (("--go", "3:4-2"), "The range of channels 4-2 is empty"),
        (("--go", "3:0-99999999"), "are too many"),
        (("--go", "3:99"), "Channel 99 of '3' can't be chosen: it is no unit of this network."),
        (("--go", "9:1"), "Channel 1 of '9' can't be chosen"),
        (("--go", "3:1", "--stay", "3:0-2"), "Channel 1 of '3' can't both stay and go."),
    ],
)
def test_choices_that_can_not_be_are_one_sentence(
    tiny: list[object], tmp_path: Path, more: tuple[str, ...], message: str
) -> None:
    done = pruned(tiny, tmp_path / "run", "--until", "units=0.5", *more)
    assert (done.code, done.err.count("\n")) == (2, 1) and message in done.err
    assert not (tmp_path / "run").exists()


def test_a_target_that_is_spent_or_too_small_leaves_nothing(tiny: list[object], tmp_path: Path) -> None:
    spent = pruned(tiny, tmp_path / "run", "--until", "accuracy=0.99")
    assert (spent.code, "The budget is spent before the first step" in spent.err) == (2, True)
    slow = pruned(tiny, tmp_path / "run", "--until", "latency=0.000001")
    assert (slow.code, "can't be reached: with every layer at its floor of 1" in slow.err) == (2, True)
    assert not (tmp_path / "run").exists()


def test_a_latency_is_in_the_table_the_json_and_the_run(
    tiny: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("explorer.pruning.procedure", "explorer.pruning.goals"):
        monkeypatch.setattr(f"{place}.latency_share", lambda full, less, report: len(less.units) / len(full.units))
    done, found = result(tmp_path, "prune", *tiny, *BASE, "--until", "latency=0.7", "--out", tmp_path / "run")
    assert found["after"]["latency"] == 7 / 11 and "63.6%" in done.out
    saved = json.loads((tmp_path / "run" / "run.json").read_text())["timeline"]["states"]
    assert [state["metrics"]["latency"] for state in saved.values()] == [1.0, 9 / 11, 7 / 11]
    states = read_run(tmp_path / "run").timeline
    assert states.state.metrics.latency == 7 / 11


def test_channels_of_one_layer_are_put_together() -> None:
    assert channels_by_layer([("a", (3, 1)), ("b", (0,)), ("a", (1, 2))]) == {"a": (1, 2, 3), "b": (0,)}
