"""Export folders come about whole or not at all."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest
from exported import described, names, odd, proven

from explorer.core.errors import BadInput
from explorer.export import formats
from explorer.export.folders import export
from explorer.export.formats import FORMATS


def write(folder: Path, *wanted: str) -> dict[str, Path]:
    return export(described(odd()), folder, wanted or ("safetensors", "model", "plan"), proven(odd()))


def breaking(monkeypatch: pytest.MonkeyPatch, name: str, problem: BaseException) -> None:
    """Have one format fail while it is made."""

    def render(_: object) -> bytes:
        raise problem

    monkeypatch.setitem(formats.FORMATS, name, replace(FORMATS[name], render=render))  # type: ignore[arg-type]


@pytest.mark.parametrize("problem", [KeyboardInterrupt(), BadInput("it can't"), MemoryError()])
def test_what_ends_an_export_leaves_the_old_files_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: BaseException
) -> None:
    (tmp_path / "network.safetensors").write_bytes(b"old")
    breaking(monkeypatch, "plan", problem)
    with pytest.raises(type(problem)):
        write(tmp_path)
    assert names(tmp_path) == ["network.safetensors"]
    assert (tmp_path / "network.safetensors").read_bytes() == b"old"
    with pytest.raises(type(problem)):
        write(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = iter(range(100))

    def full(_: int) -> None:
        if next(written) >= 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadInput, match=r"model\.py can't be written \(No space left on device\): give another"):
        write(tmp_path / "out")
    assert names(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(BadInput, match=r"can't be written \((File exists|Not a directory)\): give another"):
        write(tmp_path / "taken" / "out")
