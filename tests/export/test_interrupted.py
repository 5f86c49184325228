"""Exports that something real ends: signals, a full disk, packages that are not there, an operator that ONNX lacks."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from exported import bare, described, names, odd, proven
from forking import forked
from torch import nn

from explorer.core.errors import BadInput
from explorer.export.folders import export
from explorer.export.staging import PREFIX, clear_left_over, remove_unused, staging

resource = pytest.importorskip("resource", reason="limits and signals of POSIX")
PATIENCE = 60.0  # seconds


def write(folder: Path, *wanted: str) -> None:
    """Export a small network."""
    export(described(odd()), folder, wanted, proven(odd()))


def limited(folder: Path, said: Path, *wanted: str, size: int | None = None, without: Sequence[str] = ()) -> None:
    """Export where no file may have more than `size` bytes, or some packages can't be had; keep what is said."""
    sys.modules.update(dict.fromkeys(without))  # type: ignore[arg-type]  # whoever imports None fails
    if size:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    try:
        write(folder, *wanted)
    except BadInput as problem:
        said.write_text(str(problem))


def interruptible(folder: Path, *wanted: str) -> None:
    """Export, and end at Ctrl-C also where whoever began the tests does not."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    write(folder, *wanted)


def interrupted(folder: Path, how: int) -> None:
    """Export in a process of its own, and end that in the middle of its work."""
    process = forked(interruptible, folder, "safetensors", "pt2")
    deadline = time.monotonic() + PATIENCE
    while not list(folder.glob(f"{PREFIX}*/network.safetensors")):
        assert process.is_alive() and time.monotonic() < deadline
        time.sleep(0.001)
    assert process.pid
    os.kill(process.pid, how)
    process.join()
    assert process.exitcode == (-how if how == signal.SIGKILL else 1)


def test_an_interrupted_export_leaves_the_old_files_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "network.safetensors").write_bytes(b"old")
    interrupted(tmp_path, signal.SIGINT)
    assert names(tmp_path) == ["network.safetensors"]
    assert (tmp_path / "network.safetensors").read_bytes() == b"old"


def test_what_a_killed_export_leaves_goes_with_the_next_one_to_the_same_place(tmp_path: Path) -> None:
    (tmp_path / "network.safetensors").write_bytes(b"old")
    interrupted(tmp_path, signal.SIGKILL)
    left, name = names(tmp_path)
    assert left.startswith(PREFIX) and name == "network.safetensors"
    assert (tmp_path / "network.safetensors").read_bytes() == b"old"
    write(tmp_path, "plan")
    assert names(tmp_path) == ["manifest.json", "network.safetensors", "plan.json", "proof.safetensors"]


def test_what_killed_exports_leave_in_a_work_folder_goes_when_the_app_starts(tmp_path: Path) -> None:
    state = tmp_path / "some-run" / "state-1"
    state.mkdir(parents=True)
    (state / "plan.json").write_bytes(b"old")
    interrupted(state, signal.SIGKILL)
    assert len(names(state)) == 2
    clear_left_over(tmp_path)
    assert names(state) == ["plan.json"]
    with staging(state) as place:
        clear_left_over(tmp_path)
        assert place.exists()  # somebody writes there


def test_what_somebody_is_writing_stays(tmp_path: Path) -> None:
    with staging(tmp_path) as place:
        write(tmp_path, "plan")
        assert not remove_unused(tmp_path)
        assert place.exists()
    assert not place.exists() and remove_unused(tmp_path)


def test_a_file_beyond_what_the_system_allows_is_one_sentence(tmp_path: Path) -> None:
    out, said = tmp_path / "out", tmp_path / "said"
    forked(limited, out, said, "model", size=2000).join()
    assert re.fullmatch(rf"{out}/manifest\.json can't be written \(File too large\): give another .*", said.read_text())
    assert not out.exists()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    try:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", place], capture_output=True)
    except OSError:
        pytest.skip("no mount here")
    if done.returncode:
        pytest.skip("only root can mount")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk_is_one_sentence_and_leaves_nothing(disk: Path) -> None:
    (disk / "network.safetensors").write_bytes(b"old")
    with pytest.raises(BadInput, match=r"can't be written \(No space left on device\): give another"):
        write(disk, "model")
    assert names(disk) == ["network.safetensors"]


def test_without_the_packages_of_onnx_it_is_said_which_and_how_to_get_them(tmp_path: Path) -> None:
    out, said = tmp_path / "out", tmp_path / "said"
    forked(limited, out, said, "safetensors", "onnx", without=("onnx", "onnxscript", "onnxruntime")).join()
    assert said.read_text() == (
        "The format onnx needs the package onnx, which is not installed: pip install 'pruning-explorer[onnx]'."
    )
    assert not out.exists()


def test_an_operator_that_onnx_lacks_is_named(tmp_path: Path) -> None:
    body = nn.Sequential(nn.Conv2d(3, 5, 3), nn.AdaptiveMaxPool2d(3), nn.Flatten(), nn.Linear(45, 7))
    network = bare(body, (3, 12, 12))
    with pytest.raises(BadInput, match=r"^net can't be exported as onnx: ONNX has no operator for aten\.adaptive_max"):
        export(described(network), tmp_path / "out", ["safetensors", "onnx"], proven(network))
    assert not (tmp_path / "out").exists()
