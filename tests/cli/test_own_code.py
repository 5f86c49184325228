"""One's own factory is called where a person names it, and never because a run folder does."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from invoke import result, run
from rewriting_documents import rewritten

PRUNE = ("--criterion", "weight", "--until", "units=0.8", "--step", 2, "--limit", 8)
DECOY = "from pathlib import Path\nPath({!r}).touch()\n\n\ndef make():\n    raise SystemExit\n"


@pytest.fixture(scope="module")
def kept(tiny: list[object], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder of a network whose architecture is one's own code."""
    folder = tmp_path_factory.mktemp("own")
    result(folder, "prune", *tiny, *PRUNE, "--out", folder / "run")
    return folder / "run"


@pytest.mark.parametrize("command", [("export", "--original", "--format", "safetensors"), ("export", "--state", 0)])
def test_a_run_folder_names_no_code_that_is_run(
    kept: Path, command: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "decoy.py").write_text(DECOY.format(str(tmp_path / "ran")))
    told, before = kept / "run.json", (kept / "run.json").read_text()
    network = {**json.loads(before)["network"], "arch": "decoy:make"}
    try:
        told.write_bytes(rewritten(before.encode(), {"network": network}))
        done = run(command[0], kept, *command[1:], "--out", tmp_path / "out")
    finally:
        told.write_text(before)
    assert done.code == 2 and "'decoy:make' is your own code" in done.err and done.err.count("\n") == 1
    assert "decoy" not in sys.modules and not (tmp_path / "ran").exists() and not (tmp_path / "out").exists()


def test_a_person_names_it_again(kept: Path, tiny: list[object], tmp_path: Path) -> None:
    done, found = result(
        tmp_path, "export", kept, *tiny[1:], "--original", "--format", "safetensors", "--out", tmp_path / "out"
    )
    assert len(found["files"]) >= 2, done.out
