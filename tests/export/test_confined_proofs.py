"""Exported files that mean harm reach no network, file, process, memory or secret; each is told in a sentence."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest
from exported import described, odd, proven

from explorer.confined.running import in_force
from explorer.export import verify as verifying
from explorer.export.folders import export
from explorer.export.verify import verify

LOAD = "\n\ndef load():\n    raise SystemExit('it went on')\n"
SYSTEM_CALLS = ("network", "processes", "writing files")


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


@pytest.mark.parametrize("past_python", [False, True])
def test_nobody_is_called(made: Path, past_python: bool) -> None:
    needs(*SYSTEM_CALLS)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        port = server.getsockname()[1]
        libc = "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        call = f"{libc}assert libc.socket(2, 1, 0) >= 0, os.strerror(ctypes.get_errno())"
        error = said(made, call if past_python else f"import socket\nsocket.create_connection(('127.0.0.1', {port}))")
        with pytest.raises(BlockingIOError):
            server.accept()
    assert ("Operation not permitted" if past_python else "it may not use the network") in error


@pytest.mark.parametrize("past_python", [False, True])
def test_no_file_is_written_or_changed(made: Path, tmp_path: Path, past_python: bool) -> None:
    needs(*SYSTEM_CALLS)
    there = tmp_path / "there"
    there.write_text("mine")
    libc = "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
    call = f"{libc}assert libc.open({str(there)!r}.encode(), 0o1001, 0) >= 0, os.strerror(ctypes.get_errno())"
    error = said(made, call if past_python else f"open({str(there)!r}, 'w')")
    assert ("Operation not permitted" if past_python else "it may not write files") in error
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("there", "mine")]


@pytest.mark.parametrize(
    "source",
    [
        "import os\nfor _ in range(50): os.fork()",
        "import subprocess\nsubprocess.run(['true'])",
        "import os\nos.system('true')",
        f"import os\nos.kill({os.getpid()}, 15)",
    ],
    ids=["fork", "subprocess", "system", "kill"],
)
def test_no_process_is_started_or_stopped(made: Path, source: str) -> None:
    assert "it may not start or stop processes" in said(made, source)


def test_no_process_is_started_past_python(made: Path) -> None:
    needs(*SYSTEM_CALLS)
    libc = "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
    assert "Operation not permitted" in said(made, f"{libc}assert libc.fork() >= 0, os.strerror(ctypes.get_errno())")


@pytest.mark.parametrize("source", ["x = bytearray(2**36)", "import mmap\nx = mmap.mmap(-1, 2**36)"])
def test_memory_ends_before_the_machines_does(made: Path, source: str) -> None:
    needs("memory")
    assert "MemoryError" in (error := said(made, source)) or "Cannot allocate memory" in error


def test_what_runs_for_ever_is_ended(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "TIMEOUT", 5)
    started = time.monotonic()
    assert said(made, "while True: pass") == "it ran longer than 5 s"
    assert time.monotonic() - started < 60


def test_no_secret_is_read(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs("reading files")
    monkeypatch.setenv("MY_TOKEN", "hunter2")
    (tmp_path / "key").write_text("hunter2")
    assert "KeyError: 'MY_TOKEN'" in said(made, "import os\nos.environ['MY_TOKEN']")
    for place in (tmp_path / "key", Path(f"/proc/{os.getpid()}/environ")):
        assert "Permission denied" in said(made, f"open({str(place)!r}).read()")


def test_its_folder_holds_nothing_but_its_files(made: Path) -> None:
    error = said(made, "import os\nraise ValueError(sorted(os.listdir('.')))")
    assert error == "ValueError: ['model.py', 'network.safetensors']"
