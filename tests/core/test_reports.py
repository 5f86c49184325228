"""Reports of what nobody foresaw: they help an engineer and hold nothing that is a person's own."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from invoke import run

from explorer.cli import inspecting
from explorer.core import reports

SECRET = "/home/zelda/patients of zelda/scan 17.png"


@pytest.fixture(autouse=True)
def workdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The work folder, where reports come."""
    monkeypatch.setenv("PRUNING_EXPLORER_WORKDIR", str(tmp_path / "work"))
    return tmp_path / "work"


@pytest.mark.parametrize(
    ("problem", "code", "says"),
    [
        (RuntimeError(f"cannot read {SECRET}"), 1, "did not foresee (RuntimeError)"),
        (KeyError("zelda"), 1, "did not foresee (KeyError)"),
        (OSError(errno.ENOSPC, "No space left on device", SECRET), 1, "(OSError: No space left on device)"),
        (MemoryError(), 1, "not enough memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried 9 bytes"), 1, "not enough"),
        (KeyboardInterrupt(), 1, "Cancelled; nothing was written."),
    ],
)
def test_a_command_that_fails_unforeseen_says_one_sentence(
    monkeypatch: pytest.MonkeyPatch, problem: BaseException, code: int, says: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise problem

    monkeypatch.setattr(inspecting, "open_subject", fail)
    done = run("inspect", "/home/zelda/net.pth", "--arch=explorer:vgg_small", "--seed", "3")
    assert (done.code, done.out) == (code, "") and says in done.err
    assert "\n" not in done.err.strip() and "Traceback" not in done.err and "zelda" not in done.err


def test_a_command_s_report_names_versions_options_and_the_stack_and_nothing_of_a_person(
    monkeypatch: pytest.MonkeyPatch, workdir: Path
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"cannot read {SECRET}") from KeyError("zelda")

    monkeypatch.setattr(inspecting, "open_subject", fail)
    run("inspect", "/home/zelda/net.pth", "--arch=explorer:vgg_small", "--data", "/home/zelda/scans", "--seed", "3")
    (report,) = (workdir / "reports").iterdir()
    text = report.read_text()
    assert "While: the command inspect --arch --data --seed" in text.splitlines()
    assert f"torch {torch.__version__}"[:8] in text and "Python 3." in text
    assert "RuntimeError: cannot read ..." in text and "KeyError: ..." in text
    assert "explorer/cli/inspecting.py, line " in text and "click/core.py, line " in text
    assert "zelda" not in text and "vgg_small" not in text and str(Path.home()) not in text


def test_frames_of_a_person_s_own_code_are_counted_but_not_named() -> None:
    def planted() -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError) as caught:
        planted()
    report = reports.report_of(caught.value, "a test")
    assert report.count(reports.OWN_CODE) == 2 and "planted" not in report and "test_reports" not in report


def test_a_stack_without_end_is_cut_in_the_middle() -> None:
    def deeper() -> None:
        deeper()

    with pytest.raises(RecursionError) as caught:
        deeper()
    assert len(reports.report_of(caught.value, "a test").splitlines()) < reports.FRAMES + 10


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        (
            "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 1",
            "The size of tensor a (3) must match the size of tensor b (4) at ...",
        ),
        ("cannot read C:\\Users\\Zelda\\x.png, sorry", "cannot read ..."),
        ("token=abc", "..."),
        ("", ""),
    ],
)
def test_of_a_message_stay_the_words_before_what_may_be_a_person_s(message: str, kept: str) -> None:
    assert reports.scrubbed(message) == kept


@given(
    st.text(),
    st.sampled_from(["/home/zelda", "C:\\zelda", "'zelda'", "~/zelda", "zelda@example.org", "file:zelda", "zelda=1"]),
)
def test_nothing_from_a_path_or_a_quoted_name_on_stays(before: str, secret: str) -> None:
    assert "zelda" not in reports.scrubbed(f"{before.replace('zelda', '')} {secret} zelda")


@pytest.mark.parametrize(
    "problem",
    [
        MemoryError(),
        np._core._exceptions._ArrayMemoryError((9,), np.dtype("u1")),
        torch.OutOfMemoryError("CUDA out of memory."),
    ],
)
def test_a_lack_of_memory_is_told_as_such_without_a_report(problem: Exception, workdir: Path) -> None:
    assert reports.failure(problem, "a test") == reports.Failure(reports.MEMORY)
    assert not workdir.exists()


def test_what_torch_says_when_it_gets_no_memory_is_known() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert reports.lacks_memory(caught.value)


def test_where_the_work_folder_can_t_be_written_the_report_goes_elsewhere(
    workdir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workdir.write_text("a file, not a folder")
    elsewhere = tmp_path / "temporary"
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    report = reports.failure(RuntimeError("no"), "a test").report
    assert report and report.parent == elsewhere


def test_old_reports_go(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reports, "REPORTS_KEPT", 2)
    for _ in range(4):
        reports.failure(RuntimeError("no"), "a test")
    assert len(list((workdir / "reports").iterdir())) == 2
