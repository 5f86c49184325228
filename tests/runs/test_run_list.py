"""The list of runs: names, what was deleted and comes back, and how often files are read."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_timeline import branched

from explorer.core.errors import BadInput
from explorer.core.locks import NAME
from explorer.runs import deleted, listing
from explorer.runs.deleted import KEPT, delete_run, deleted_runs, drop_deleted, is_deleted, restore_run
from explorer.runs.listing import listed_runs
from explorer.runs.run_folders import grow, name_run
from explorer.runs.store import FILE, Run, read_run, write_run
from explorer.runs.timeline import LONGEST_NAME, jump
from explorer.upkeep.audit import BAD, audit

RUN = Run({"source": "demo", "name": "demo", "arch": None}, {"source": "demo", "seed": 0}, branched())


def write(work: Path, name: str = "first") -> Path:
    return write_run(work / "runs" / name, RUN).parent


def listed(work: Path) -> list[str]:
    return [each.id for each in listed_runs(work / "runs")]


def test_a_name_stays_while_the_run_goes_on_and_an_empty_one_takes_it_away(tmp_path: Path) -> None:
    folder = write(tmp_path)
    name_run(folder, " <b>mine</b> ")
    grow(folder, RUN, lambda timeline: jump(timeline, 0))
    assert read_run(folder).name == "<b>mine</b>" and read_run(folder).states.current == 0
    assert [each.name for each in listed_runs(tmp_path / "runs")] == ["<b>mine</b>"]
    assert name_run(folder, "").name == ""


@pytest.mark.parametrize("name", ["x" * (LONGEST_NAME + 1), "two\nlines", "\x1b[31m"])
def test_a_name_that_is_long_or_can_not_be_printed_is_refused(tmp_path: Path, name: str) -> None:
    folder = write(tmp_path)
    with pytest.raises(BadInput, match="must be printable and have at most"):
        name_run(folder, name)
    assert read_run(folder) == RUN


def test_no_run_is_made_by_a_name(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no longer here"):
        name_run(tmp_path / "runs" / "gone", "mine")
    assert not (tmp_path / "runs").exists()


def test_a_deleted_run_comes_back_as_it_was(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "weights-of-a-state").write_bytes(b"kept")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    delete_run(tmp_path, "first")
    assert listed(tmp_path) == [] and [each.id for each in deleted_runs(tmp_path)] == ["first"]
    assert is_deleted(tmp_path, "first") and not folder.exists()
    assert not [each for each in audit(tmp_path) if each.standing in BAD]
    restore_run(tmp_path, "first")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert listed(tmp_path) == ["first"] and not is_deleted(tmp_path, "first")


def test_the_last_deleted_are_kept_and_those_before_are_gone(tmp_path: Path) -> None:
    names = [f"run-{number}" for number in range(KEPT + 2)]
    clock = iter(range(len(names)))
    for name in names:
        write(tmp_path, name)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(deleted.os, "utime", at(next(clock)))
            delete_run(tmp_path, name)
    assert [each.id for each in deleted_runs(tmp_path)] == names[:1:-1]
    assert sorted(path.name for path in (tmp_path / "deleted").iterdir()) == sorted(names[2:])
    with pytest.raises(BadInput, match=f"only the last {KEPT}"):
        restore_run(tmp_path, names[0])
    drop_deleted(tmp_path)
    assert deleted_runs(tmp_path) == [] and not list((tmp_path / "deleted").iterdir())


def at(seconds: int) -> object:
    """os.utime that sets this time."""
    real = deleted.os.utime
    return lambda path: real(path, (seconds, seconds))


def test_a_run_in_which_another_process_writes_stays(tmp_path: Path) -> None:
    folder = write(tmp_path)
    fcntl = pytest.importorskip("fcntl")
    with (folder / NAME).open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(BadInput, match="in use"):
            delete_run(tmp_path, "first")
    assert listed(tmp_path) == ["first"]


def test_a_run_that_began_anew_in_its_place_is_not_overwritten(tmp_path: Path) -> None:
    write(tmp_path)
    delete_run(tmp_path, "first")
    write(tmp_path)
    with pytest.raises(BadInput, match="has begun since"):
        restore_run(tmp_path, "first")


def test_a_run_that_is_gone_is_not_deleted_again(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no longer here"):
        delete_run(tmp_path, "first")


def test_a_run_is_read_once_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, read = write(tmp_path), []
    monkeypatch.setattr(listing, "read_run", lambda place: read.append(place) or read_run(place))
    assert listed_runs(tmp_path / "runs") == listed_runs(tmp_path / "runs") and read == [folder]
    name_run(folder, "another")
    assert listed_runs(tmp_path / "runs")[0].name == "another" and len(read) == 2


def test_a_name_that_was_put_into_the_file_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path)
    write_run(folder, Run(RUN.network, RUN.data, RUN.timeline, name="two\nlines"))
    with pytest.raises(BadInput, match=f"{FILE} is damaged: name must be printable"):
        read_run(folder)
