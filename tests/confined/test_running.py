"""Confined processes themselves, without the packages of a network: what they hand back, and how they end."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryFile

import pytest

from explorer.confined import calls
from explorer.confined.child import KINDS
from explorer.confined.running import ALWAYS, Ended, ProcessLimits, described, in_force, run

LIMITS = ProcessLimits(seconds=20, memory=2**28, output=1000)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file.txt"
    path.write_text("read")
    return path


def made_by(source: str, file: Path, given: bytes = b"") -> tuple[Ended, bytes]:
    with TemporaryFile() as into, TemporaryFile() as out:
        into.write(given)
        into.seek(0)
        ended = run(source, [file], into, out, LIMITS, batch=1)
        out.seek(0)
        return ended, out.read()


def test_input_and_a_named_file_go_in_and_output_comes_out(file: Path) -> None:
    source = "ready()\nmade.write(given.read()[::-1] + open(path, 'rb').read())\nprint('no output')"
    ended, made = made_by(source, file, b"321")
    assert (ended.code, made) == (0, b"123read"), ended.said


def test_what_fails_says_why_and_ends_with_another_code(file: Path) -> None:
    ended, made = made_by("raise SystemExit('it went wrong')", file)
    assert (ended.code, ended.said.strip(), made) == (1, "it went wrong", b"")


def test_no_process_is_started_and_nothing_is_written_beside_the_file(file: Path) -> None:
    if not {"processes", "writing files"} <= set(in_force()):
        pytest.skip("this system does not confine processes and files")
    for forbidden in ("import os; os.fork()", f"open({str(file)!r}, 'w')"):
        ended, _ = made_by(forbidden, file)
        assert ended.code == 1 and "Error" in ended.said.splitlines()[-1]
    assert file.read_text() == "read"


def test_what_is_in_force_is_said_with_what_is_not() -> None:
    assert set(in_force()) <= {*KINDS, *ALWAYS} and set(ALWAYS) <= set(in_force())
    assert described().startswith(f"Confined: {', '.join(in_force())}.")
    lacking = [kind for kind in KINDS if kind not in in_force()]
    assert (f"can't confine: {', '.join(lacking)}." in described()) == bool(lacking)


@pytest.mark.parametrize("machine", calls.MACHINES)
def test_no_call_is_both_refused_and_asked_for(machine: str) -> None:
    refused, missing, asked = (
        calls.refused(machine),
        calls.absent(machine),
        calls.refused_for_arguments(machine).values(),
    )
    assert len({*refused, *missing, *asked}) == len(refused) + len(missing) + len(asked)
