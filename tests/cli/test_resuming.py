"""prune --resume: a run that is stopped, wherever, ends as it would have ended without the stop."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from invoke import Done, run
from of_demo import UNITS
from stopping import stopping

from explorer import open_network
from explorer.runs.store import read_run, write_run
from explorer.runs.timeline import forget_weights

PRUNE = ("--criterion", "taylor", "--until", "units=0.4", "--step", 2, "--learning-rate", 0.05)
UPDATES = ("--updates", 2)
STEPS = 4  # 11 units -> 9 -> 7 -> 5 -> 4


def pruned(tiny: list[object], out: Path, *more: object) -> Done:
    return run("prune", *tiny, *PRUNE, *more, "--out", out)


def held(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def whole(tiny: list[object], tmp_path_factory: pytest.TempPathFactory) -> dict[int, dict[str, bytes]]:
    """Updates -> the files of a run that nothing stopped."""
    folder = tmp_path_factory.mktemp("whole")
    for updates in (0, 2):
        assert pruned(tiny, folder / str(updates), "--updates", updates).code == 0
    found = {updates: held(folder / str(updates)) for updates in (0, 2)}
    for updates, kept in ((0, 0), (2, STEPS)):
        weights = [name for name in found[updates] if name.startswith("weights-")]
        assert len(weights) == kept and set(found[updates]) == {"run.json", "network.safetensors", *weights}
    return found


PLACES = [
    *(("explorer.evaluation.metrics.evaluate", call, False) for call in range(2, STEPS + 2)),
    ("explorer.pruning.procedure.train", 1, False),
    ("explorer.pruning.procedure.train", STEPS, True),
    *(("explorer.runs.run_folders.write_run", call, True) for call in (1, STEPS)),  # of a step
    *(("explorer.runs.pruning_runs.write_run", call, True) for call in (1, 2)),  # of the start and of the end
    ("explorer.runs.pruning_runs.write_weights", 1, True),
    ("explorer.runs.pruning_runs.write_weights", STEPS, True),
    ("explorer.runs.pruning_runs.to_bytes", 1, False),
    ("explorer.runs.pruning_runs.to_bytes", 1, True),
]


@pytest.mark.parametrize(("place", "call", "after"), PLACES)
def test_stopped_anywhere_the_run_goes_on_to_the_same_files(
    tiny: list[object],
    whole: dict[int, dict[str, bytes]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    place: str,
    call: int,
    after: bool,
) -> None:
    out = tmp_path / "run"
    stopping(monkeypatch, place, call, after=after)
    stopped = pruned(tiny, out, *UPDATES)
    monkeypatch.undo()
    assert (stopped.code, stopped.err.strip()) == (
        1,
        f"Stopped; {out} holds the steps so far: --resume goes on with them.",
    )
    resumed = pruned(tiny, out, *UPDATES, "--resume")
    assert resumed.code == 0
    assert held(out) == whole[2]


def test_without_updates_no_weights_are_kept_and_none_are_needed(
    tiny: list[object], whole: dict[int, dict[str, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    stopping(monkeypatch, "explorer.evaluation.metrics.evaluate", 3)
    pruned(tiny, out)
    monkeypatch.undo()
    assert list(held(out)) == ["run.json"]
    done = pruned(tiny, out, "--resume")
    assert f"{out} holds this run up to step 1: going on from there." in done.err
    assert held(out) == whole[0]


@pytest.fixture
def unfinished(tiny: list[object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run that was stopped in its third step."""
    stopping(monkeypatch, "explorer.pruning.procedure.train", 3)
    pruned(tiny, tmp_path / "run", *UPDATES)
    monkeypatch.undo()
    return tmp_path / "run"


def test_an_unfinished_run_holds_its_last_whole_step(unfinished: Path) -> None:
    saved = read_run(unfinished)
    assert saved.timeline is not None and not saved.finished
    states = saved.timeline.states.values()
    assert set(held(unfinished)) == {"run.json", *(state.weights for state in states if state.parent is not None)}
    assert [(len(state.removed), state.updates) for state in states] == [(0, 0), (2, 2), (2, 2)]
    assert all((state.pruned is None) == (state.parent is None) for state in states)


def test_files_that_a_kill_left_half_written_go(
    tiny: list[object], unfinished: Path, whole: dict[int, dict[str, bytes]]
) -> None:
    for name in ("run.json", "weights-3.safetensors", "network.safetensors"):
        (unfinished / f".{name}.0123abcd.tmp").write_bytes(b"half")
    assert pruned(tiny, unfinished, *UPDATES, "--resume").code == 0
    assert held(unfinished) == whole[2]


@pytest.mark.parametrize("command", ["evaluate", "export"])
def test_an_unfinished_run_is_no_network_yet(unfinished: Path, tmp_path: Path, command: str) -> None:
    done = run(command, unfinished, *(("--out", tmp_path / "export") if command == "export" else ()))
    sentence = f"The run in {unfinished} is unfinished: the prune command that began it ends it with --resume."
    assert (done.code, done.err.strip()) == (2, f"Error: {sentence}")


def test_an_unfinished_run_is_neither_overwritten_nor_continued_otherwise(tiny: list[object], unfinished: Path) -> None:
    before = held(unfinished)
    plain = pruned(tiny, unfinished, *UPDATES)
    assert (plain.code, "--resume to go on with that run" in plain.err) == (2, True)
    other = pruned(tiny, unfinished, "--updates", 3, "--resume")
    assert (other.code, "holds a run with updates 2, not 3: give another --out" in other.err) == (2, True)
    assert held(unfinished) == before


def last_weights(folder: Path) -> Path:
    return folder / read_run(folder).timeline.state.weights


def unnamed(folder: Path) -> None:
    run = read_run(folder)
    write_run(folder, replace(run, timeline=forget_weights(run.timeline, kept=None)))


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "gone": (lambda run: last_weights(run).unlink(), ".safetensors is missing: put back a copy"),
    "cut short": (
        lambda run: last_weights(run).write_bytes(last_weights(run).read_bytes()[:300]),
        ".safetensors is damaged: it is not what was written",
    ),
    "not named": (unnamed, "The weights of state 2 were not kept"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_lost_weights_get_one_sentence(tiny: list[object], unfinished: Path, name: str) -> None:
    damage, words = DAMAGE[name]
    damage(unfinished)
    done = pruned(tiny, unfinished, *UPDATES, "--resume")
    assert done.code == 2
    assert words in done.err
    assert done.err.strip().splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in done.err


@pytest.mark.parametrize("name", ["network.safetensors", "weights-3.safetensors"])
@pytest.mark.parametrize("resume", [(), ("--resume",)], ids=["", "resume"])
def test_files_of_others_are_never_replaced(
    tiny: list[object], tmp_path: Path, name: str, resume: tuple[str, ...]
) -> None:
    (tmp_path / name).write_bytes(b"mine")
    done = pruned(tiny, tmp_path, *UPDATES, *resume)
    assert (done.code, f"already holds a {name}, but no run.json" in done.err) == (2, True)
    assert held(tmp_path) == {name: b"mine"}


def test_killed_at_any_time_a_run_goes_on_to_the_same_network(few: Path, tmp_path: Path) -> None:
    settings = ("--criterion", "taylor", "--until", "units=0.5", "--step", UNITS // 22, "--updates", 2, "--limit", 32)
    out, other = tmp_path / "killed", tmp_path / "whole"
    arguments = [str(argument) for argument in ("prune", "demo", "--data", few, *settings, "--out")]
    program = [sys.executable, "-c", "from explorer.cli import main; main()", *arguments, str(out)]
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}  # another number adds in another order
    process = subprocess.Popen(program, env=os.environ | threads, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    states = random.randint(1, 7)  # of 12 or 13
    try:
        while not (out / "run.json").is_file() or len(read_run(out).timeline.states) < states:
            assert process.poll() is None, "the run ended before it could be killed"
            time.sleep(0.002)
        time.sleep(random.uniform(0, 0.1))
    finally:
        process.kill()
        process.wait()
    assert not read_run(out).finished
    assert run(*arguments, out, "--resume").code == run(*arguments, other).code == 0
    assert held(out) == held(other)
    assert len(open_network(out).units) == UNITS // 2
