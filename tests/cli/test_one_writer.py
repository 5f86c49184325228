"""Commands that write a folder for long: a second one on it is refused, in a sentence that says who is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from invoke import run

from explorer.core.locks import NAME, sole_writer

PRUNE = ("--criterion", "weight", "--until", "units=0.8")
WRITING = {
    "prune": PRUNE,
    "race": ("--criteria", "weight", "--seeds", 1, "--until", "units=0.8"),
    "study": (),
}


@pytest.mark.parametrize("command", WRITING)
def test_a_second_command_on_a_folder_is_refused(tiny: list[object], tmp_path: Path, command: str) -> None:
    out = tmp_path / "out"
    with sole_writer(out, "wait"):
        done = run(command, *tiny, *WRITING[command], "--out", out)
        said = f"Error: {out} is in use by process {os.getpid()}: wait for it to end, or give another --out."
        assert (done.code, done.err.strip()) == (2, said)
        assert [path.name for path in out.iterdir()] == [NAME]


def test_so_is_fine_tuning_and_the_lock_goes_with_the_command(tiny: list[object], tmp_path: Path) -> None:
    done = run("prune", *tiny, *PRUNE, "--out", tmp_path / "run")
    assert done.code == 0, done.err
    assert not (tmp_path / "run" / NAME).exists()
    tune = ("finetune", "--weights", tmp_path / "run", "--epochs", 1, "--out", tmp_path / "out")
    with sole_writer(tmp_path / "out", "wait"):
        done = run(*tune)
        assert done.code == 2 and "out is in use by process" in done.err
    assert run(*tune).code == 0


def test_a_second_app_on_a_work_folder_is_told_where_the_first_one_is(tmp_path: Path) -> None:
    with sole_writer(tmp_path, "", ", the app at http://127.0.0.1:8501"):
        done = run("app", "--no-browser", "--port", 8765, "--workdir", tmp_path)
    who = f"process {os.getpid()}, the app at http://127.0.0.1:8501"
    assert done.code == 2
    assert done.err == f"Error: {tmp_path} is in use by {who}: open that, or give another --workdir.\n"
