"""Run folders: what is written comes back, whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from test_timeline import branched

from explorer.errors import BadInput
from explorer.export import files
from explorer.runs import FILE, FORMAT, Run, read_run, write_run

RUN = Run({"source": "demo", "arch": None, "digest": "ab" * 32}, {"source": "demo", "seed": 3}, branched(), {"step": 1})


@pytest.mark.parametrize("run", [RUN, Run({"source": "demo"}, {"source": "demo"})], ids=["full", "not yet measured"])
def test_a_run_comes_back_as_it_was_written(tmp_path: Path, run: Run) -> None:
    assert write_run(tmp_path / "new" / "folder", run) == tmp_path / "new" / "folder" / FILE
    assert read_run(tmp_path / "new" / "folder") == run


def test_the_file_is_json_with_its_format(tmp_path: Path) -> None:
    content = json.loads(write_run(tmp_path, RUN).read_text())
    assert content["format"] == FORMAT
    assert list(content) == ["format", "network", "data", "settings", "timeline"]
    assert [state["removed"] for state in content["timeline"]["states"]] == [[], [4], [1, 4], [4, 5]]


def test_writing_again_replaces_the_run_and_leaves_no_other_file(tmp_path: Path) -> None:
    write_run(tmp_path, RUN)
    other = Run(RUN.network, RUN.data)
    write_run(tmp_path, other)
    assert read_run(tmp_path) == other
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_run_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    write_run(tmp_path, RUN)

    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((files.os, "fsync") if failing == "fsync" else (Path, "replace")), full)
    with pytest.raises(BadInput, match=r"run\.json cannot be written: No space left on device"):
        write_run(tmp_path, Run({}, {}))
    monkeypatch.undo()
    assert read_run(tmp_path) == RUN
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="cannot be written"):
        write_run(tmp_path / "file" / "run", RUN)


@pytest.mark.parametrize("where", ["absent", "."])
def test_a_folder_without_a_run_is_refused(tmp_path: Path, where: str) -> None:
    with pytest.raises(BadInput, match=r"is not a run folder: it holds no run\.json"):
        read_run(tmp_path / where)


def _with(**parts: object) -> bytes:
    return json.dumps({"format": FORMAT, "network": {}, "data": {}, "settings": {}, "timeline": None} | parts).encode()


DAMAGED = {
    "empty": (b"", "not JSON"),
    "text": (b"hello", "not JSON"),
    "cut short": (_with()[:-5], "not JSON"),
    "not text": (b"\xff\xfe\x00\x01", "not JSON"),
    "nested without end": (b"[" * 100_000, "not JSON"),
    "list": (b"[]", "not in the format"),
    "number": (b"1", "not in the format"),
    "another format": (_with(format="pruning-explorer run 99"), "not in the format 'pruning-explorer run 1'"),
    "network is a list": (_with(network=[]), "network, data and settings must be objects"),
    "no data": (_with(data=None), "network, data and settings must be objects"),
    "settings is text": (_with(settings="all"), "network, data and settings must be objects"),
    "timeline is a number": (_with(timeline=5), "timeline is damaged"),
    "timeline is an empty list": (_with(timeline=[]), "timeline is damaged"),
    "timeline without states": (_with(timeline={"states": [], "current": 0}), "no state 0"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_gets_one_sentence(tmp_path: Path, name: str) -> None:
    content, words = DAMAGED[name]
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(BadInput, match=words) as refusal:
        read_run(tmp_path)
    assert "\n" not in str(refusal.value)


@pytest.mark.skipif(os.name != "posix", reason="needs a folder in the file's place")
def test_a_folder_in_the_file_s_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(BadInput, match="is not a run folder"):
        read_run(tmp_path)
