"""The command that starts the app."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from invoke import run

from explorer.cli import app, commands

ROOT = Path(__file__).resolve().parents[2]


def test_the_packaged_settings_are_those_of_the_checkout() -> None:
    packaged = app.SCRIPT.parent / ".streamlit" / "config.toml"
    assert packaged.read_text() == (ROOT / ".streamlit" / "config.toml").read_text()


def test_no_command_means_the_app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(app.WORKDIR, str(tmp_path))
    started: list[list[str]] = []
    monkeypatch.setattr("streamlit.web.cli.main", lambda args, **_: started.append(args))
    monkeypatch.setattr(app, "check_free", lambda host, port: None)
    assert run().code == 0
    (arguments,) = started
    assert arguments[:2] == ["run", str(app.SCRIPT)]
    assert arguments[arguments.index("--server.port") + 1] == "8501"
    assert arguments[arguments.index("--server.address") + 1] == "127.0.0.1"
    assert "--server.headless" not in arguments
    assert arguments.count("--server.allowedHosts") == 2
    assert commands.get_command(None, "nothing") is None  # type: ignore[arg-type]


def test_a_busy_port_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = run("app", "--no-browser", "--port", port)
    assert done.code == 2
    assert done.err.startswith(f"Error: The app can't listen on 127.0.0.1, port {port} (Address already in use)")
    assert done.err.count("\n") == 1


def test_a_workdir_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "check_free", lambda host, port: None)
    (tmp_path / "file").write_text("")
    done = run("app", "--workdir", tmp_path / "file" / "work")
    assert (done.code, "work can't be made" in done.err) == (2, True)


def test_the_app_comes_up_from_any_folder(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    code = "from explorer.cli import main; main()"
    command = [sys.executable, "-c", code, "app", "--no-browser", "--port", str(port), "--workdir", str(tmp_path / "w")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert _answer(f"http://127.0.0.1:{port}/_stcore/health") == "ok"
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)
    assert (tmp_path / "w").is_dir()


def _answer(address: str) -> str:
    for _ in range(100):
        try:
            with urllib.request.urlopen(address, timeout=5) as reply:
                return reply.read().decode()
        except OSError:
            time.sleep(0.2)
    return "no answer"
