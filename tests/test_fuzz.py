"""2,000 seeded changes to good exports, runs, plans and checkpoints; benchmarks/fuzz.py goes on for longer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fuzzing import SUBJECTS, Subject
from watching import Watch

from explorer.core.errors import BadInput

PROGRAM = Path(__file__).resolve().parent / "benchmarks" / "fuzz.py"
CHANGES, MEGABYTES = 2000, 300


def test_changed_files_are_opened_or_refused_in_one_sentence_and_do_nothing_else() -> None:
    command = [sys.executable, str(PROGRAM), "--seed", "0", "--changes", str(CHANGES)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["changes"], told["failures"]) == (CHANGES, 0)
    assert told["grown_mb"] < MEGABYTES
    for name in SUBJECTS:
        assert min(told["results"][f"{name} {outcome}"] for outcome in ("opened", "refused")) >= 20, told


@pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)
def test_what_is_changed_opens_as_it_was(subject: Subject, tmp_path: Path) -> None:
    for good in subject.good():
        subject.open(good, tmp_path)
        with pytest.raises(BadInput):
            subject.open(good[: len(good) // 2], tmp_path)


def test_the_watch_sees_what_is_forbidden(tmp_path: Path) -> None:
    watch = Watch(tmp_path / "work")
    watch.on = True
    try:
        (tmp_path / "outside").write_text("x")
        subprocess.run([sys.executable, "-c", ""], check=True)
        exec("'PWNED'")
        (tmp_path / "work").mkdir()
        (tmp_path / "work" / "inside").write_text("x")
    finally:
        watch.on = False
    assert [event.partition(" ")[0] for event in watch.taken()] == ["open", "subprocess.Popen", "compile"]
