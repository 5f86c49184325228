"""Audits of one small work folder: what each of its files is, and how it is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from pictures import zipped

from explorer.core.documents import sha256
from explorer.core.errors import BadInput
from explorer.data.uploads import keep_archive, place_of
from explorer.runs.store import FILE, Run, write_run
from explorer.upkeep.audit import DAMAGED, MISSING, OK, UNCHECKED, UNKNOWN, audit

CONTENT = b"a network of one's own"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A work folder with one upload and a run that began with it."""
    digest = sha256(CONTENT)
    (tmp_path / "uploads").mkdir()
    (tmp_path / "uploads" / digest).write_bytes(CONTENT)
    network = {"source": digest, "name": "own.safetensors", "arch": None}
    write_run(tmp_path / "runs" / "first", Run(network, {"source": "demo", "seed": 0}))
    return tmp_path


def standings(work: Path) -> dict[str, str]:
    return {each.path.relative_to(work).parts[0]: each.standing for each in audit(work)}


def test_what_is_whole_is_ok(work: Path) -> None:
    assert standings(work) == {"runs": OK, "uploads": OK}
    assert [each.what for each in audit(work)] == ["run", "upload"]


def test_one_other_byte_is_damage(work: Path) -> None:
    (upload,) = (work / "uploads").iterdir()
    upload.write_bytes(CONTENT[:-1] + b"K")
    assert standings(work) == {"runs": OK, "uploads": DAMAGED}
    path = work / "runs" / "first" / FILE
    path.write_bytes(path.read_bytes().replace(b'"seed": 0', b'"seed": 1'))
    assert standings(work) == {"runs": DAMAGED, "uploads": DAMAGED}


def test_an_upload_that_is_gone_is_missing_and_named_with_its_run(work: Path) -> None:
    (upload,) = (work / "uploads").iterdir()
    upload.unlink()
    (found,) = (each for each in audit(work) if each.standing == MISSING)
    assert found.path == upload and found.why == "the run in first began with it"


def test_uploaded_images_are_whole_damaged_or_missing(work: Path) -> None:
    where = keep_archive(work, zipped({"a/1.png": b"1", "b/2.png": b"2"}), "mine.zip")
    write_run(
        work / "runs" / "first", Run({"source": "demo", "name": "demo", "arch": None}, {"source": where, "seed": 0})
    )
    place = place_of(where, work)
    found = {each.path: (each.what, each.standing) for each in audit(work)}
    assert found[place] == ("images", OK) and not any(place in path.parents for path in found)
    (place / "mine" / "a" / "1.png").write_bytes(b"3")
    assert next(each.standing for each in audit(work) if each.path == place) == DAMAGED
    shutil.rmtree(place)
    assert next(each for each in audit(work) if each.path == place).standing == MISSING


def test_what_nothing_names_is_unknown_and_exports_are_for_verify(work: Path) -> None:
    (work / "notes.txt").touch()
    (work / "export").mkdir()
    (work / "export" / "manifest.json").touch()
    assert standings(work) == {"export": UNCHECKED, "notes.txt": UNKNOWN, "runs": OK, "uploads": OK}


def test_a_folder_where_nothing_is_kept_is_refused(tmp_path: Path) -> None:
    for folder, said in ((tmp_path, "holds nothing that the app"), (tmp_path / "none", "is no folder")):
        with pytest.raises(BadInput, match=said):
            audit(folder)
