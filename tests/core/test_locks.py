"""One writer a folder: others wait for their turn, or are told who writes; a process that is killed holds nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from explorer.core import locks
from explorer.core.errors import BadInput
from explorer.core.locks import NAME, in_turn, locked, sole_writer
from explorer.evaluation.metrics import Metrics
from explorer.runs import timeline
from explorer.runs.store import Run, read_run, write_run

ROOT = Path(__file__).resolve().parents[2]
STEPS = 100  # of each of two processes
WRITER = f"""
import sys
from dataclasses import replace
from pathlib import Path
from explorer.runs.run_folders import change_run
from explorer.runs.timeline import State, step

folder = Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for number in range({STEPS}):
    change_run(folder, lambda run: replace(run, timeline=step(
        run.timeline, State(0, (), f"{{sys.argv[2]}} {{number}}", run.timeline.root.metrics))))
"""
HOLDER = """
import sys
from pathlib import Path
from explorer.core.locks import sole_writer

with sole_writer(Path(sys.argv[1]), "wait", ", the app at http://127.0.0.1:1"):
    print("held", flush=True)
    sys.stdin.readline()
"""


def started(code: str, *arguments: object) -> subprocess.Popen[str]:
    """A process that has said its first word, and waits for a line."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout and process.stdout.readline().strip() in ("ready", "held")
    return process


def test_two_processes_that_take_200_steps_of_one_run_keep_them_all(tmp_path: Path) -> None:
    write_run(tmp_path, Run({}, {}, timeline.start(Metrics(0.1, 0.9, 10, 9, 90, 900))))
    both = [started(WRITER, tmp_path, who) for who in ("one", "other")]
    for process in both:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    for process in both:
        process.communicate()
        assert process.returncode == 0
    found = read_run(tmp_path).timeline
    assert found and sorted(state.how for state in found.states.values()) == sorted(
        ["as loaded", *(f"{who} {number}" for who in ("one", "other") for number in range(STEPS))]
    )
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_who_writes_is_named_and_holds_nothing_when_it_is_killed(tmp_path: Path) -> None:
    holder = started(HOLDER, tmp_path / "run")
    said = rf"run is in use by process {holder.pid}, the app at http://127.0.0.1:1: give another folder\."
    with pytest.raises(BadInput, match=said), sole_writer(tmp_path / "run", "give another folder"):
        pass
    holder.kill()
    holder.communicate()
    assert (tmp_path / "run" / NAME).exists()
    with sole_writer(tmp_path / "run", "give another folder"):
        assert (tmp_path / "run" / NAME).read_text() == f"process {os.getpid()}"
    assert not (tmp_path / "run" / NAME).exists()


def test_a_folder_that_was_made_in_vain_goes_again_and_any_other_stays(tmp_path: Path) -> None:
    with sole_writer(tmp_path / "vain", "wait"):
        pass
    (tmp_path / "there").mkdir()
    with sole_writer(tmp_path / "there", "wait"), sole_writer(tmp_path / "written", "wait"):
        (tmp_path / "written" / "file").touch()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "there", "written"]


def test_a_lock_that_was_waited_for_is_not_that_of_a_file_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = locks._lock, iter((True, False))

    def slow(handle: int, *, wait: bool) -> bool:
        if next(calls, False):
            (tmp_path / NAME).unlink()  # as the one before does, between opening and locking
        return real(handle, wait=wait)

    monkeypatch.setattr(locks, "_lock", slow)
    with in_turn(tmp_path):
        assert (tmp_path / NAME).exists()
        monkeypatch.undo()
        with pytest.raises(BadInput, match="is in use by another process"), sole_writer(tmp_path, "wait"):
            pass


def test_where_a_file_system_has_no_locks_nobody_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(handle: int, *, wait: bool) -> bool:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(locks, "_lock", none)
    with sole_writer(tmp_path, "wait"), in_turn(tmp_path), locked(tmp_path, wait=False) as held:
        assert not held


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadInput, match="file/run can't be written"), sole_writer(tmp_path / "file" / "run", "wait"):
        pass
