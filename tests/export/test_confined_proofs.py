"""Exported files that mean harm reach no network, file, process, memory or secret; each is told in a sentence."""

from __future__ import annotations

import ast
import os
import socket
import textwrap
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from exported import described, odd, proven

from explorer.confined.running import in_force
from explorer.export import verify as verifying
from explorer.export.folders import export
from explorer.export.verify import verify

LOAD = "\n\ndef load():\n    raise SystemExit('it went on')\n"
SYSTEM_CALLS = ("network", "processes", "writing files")
PROCESSES = "it may not start or stop processes"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    export(described(odd()), folder, ["safetensors", "model"], proven(odd()))
    return folder


def said(made: Path, source: str) -> str:
    """What becomes of a model.py that holds this source."""
    (made / "model.py").write_text(source + LOAD)
    (verdict,) = verify(made / "model.py", trusted=True)
    assert verdict.ok is False and verdict.max_abs_difference is None
    assert "\n" not in verdict.error
    return verdict.error


def needs(*kinds: str) -> None:
    if missing := set(kinds) - set(in_force()):
        pytest.skip(f"this system does not confine {missing}")


def test_code_is_not_run_unless_it_is_trusted(made: Path, tmp_path: Path) -> None:
    (made / "model.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')" + LOAD)
    by_format = {each.format: each for each in verify(made)}
    assert by_format["safetensors"].ok is True
    assert (by_format["model"].ok, by_format["model"].error) == (None, "it holds code, and was not run")
    assert list(tmp_path.iterdir()) == []


LIBC = "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
ERRNO = "os.strerror(ctypes.get_errno())"


def tried(made: Path, attempts: Mapping[str, tuple[str, str]]) -> list[str]:
    """Attempts of one model.py, name -> source and the words that end it: those that end otherwise.

    One process tries them all: what a process can do to others does not change with what it has failed to do.
    """
    lines = ["others = []"]
    for name, (source, words) in attempts.items():
        body = textwrap.indent(source, "    ")
        lines += ["try:", body, f"    others.append({name!r})", "except BaseException as error:"]
        lines += [f"    if {words!r} not in f'{{type(error).__name__}}: {{error}}': others.append({name!r})"]
    error = said(made, "\n".join([*lines, "raise SystemExit(f'other endings: {others}')"]))
    assert error.startswith("other endings: ")
    return list(ast.literal_eval(error.removeprefix("other endings: ")))


@pytest.fixture
def called() -> Iterator[tuple[str, int]]:
    """The address of a server that nobody has called by the end of the test."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        yield server.getsockname()
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.fixture
def mine(tmp_path: Path) -> Iterator[Path]:
    """A file that is as it was, and alone in its folder, by the end of the test."""
    path = tmp_path / "there"
    path.write_text("mine")
    yield path
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("there", "mine")]


def test_what_python_is_told_to_do_is_refused_in_words(made: Path, called: tuple[str, int], mine: Path) -> None:
    attempts = {
        "call": (f"import socket\nsocket.create_connection({called})", "it may not use the network"),
        "write": (f"open({str(mine)!r}, 'w')", "it may not write files"),
        "fork": ("import os\nfor _ in range(50): os.fork()", PROCESSES),
        "subprocess": ("import subprocess\nsubprocess.run(['true'])", PROCESSES),
        "system": ("import os\nos.system('true')", PROCESSES),
        "kill": (f"import os\nos.kill({os.getpid()}, 15)", PROCESSES),
    }
    assert tried(made, attempts) == []


def test_what_goes_past_python_is_refused_by_the_system(made: Path, mine: Path) -> None:
    needs(*SYSTEM_CALLS)
    calls = ("socket(2, 1, 0)", f"open({str(mine)!r}.encode(), 0o1001, 0)", "fork()")
    attempts = {call: (f"{LIBC}assert libc.{call} >= 0, {ERRNO}", "Operation not permitted") for call in calls}
    assert tried(made, attempts) == []


def test_memory_ends_before_the_machines_does(made: Path) -> None:
    needs("memory")
    mapped = ("import mmap\nx = mmap.mmap(-1, 2**36)", "Cannot allocate memory")
    assert tried(made, {"own": ("x = bytearray(2**36)", "MemoryError"), "mapped": mapped}) == []


def test_no_secret_is_read(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs("reading files")
    monkeypatch.setenv("MY_TOKEN", "hunter2")
    (tmp_path / "key").write_text("hunter2")
    environ = ("import os\nos.environ['MY_TOKEN']", "KeyError: 'MY_TOKEN'")
    places = {"key": tmp_path / "key", "environ": Path(f"/proc/{os.getpid()}/environ")}
    files = {name: (f"open({str(place)!r}).read()", "Permission denied") for name, place in places.items()}
    assert tried(made, {"environment": environ, **files}) == []


def test_an_attempt_that_ends_otherwise_is_told(made: Path) -> None:
    divided = "1 / 0"
    attempts = {
        "goes": ("1 + 1", ""),
        "ends otherwise": (divided, "it may not"),
        "ends": (divided, "ZeroDivisionError"),
    }
    assert tried(made, attempts) == ["goes", "ends otherwise"]


def test_what_runs_for_ever_is_ended(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "TIMEOUT", 5)
    started = time.monotonic()
    assert said(made, "while True: pass") == "it ran longer than 5 s"
    assert time.monotonic() - started < 60


def test_its_folder_holds_nothing_but_its_files(made: Path) -> None:
    error = said(made, "import os\nraise ValueError(sorted(os.listdir('.')))")
    assert error == "ValueError: ['model.py', 'network.safetensors']"
