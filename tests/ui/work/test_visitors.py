"""Visitors of a served app: each has a workspace of their own, and sees nothing of the others'."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from driving import SECONDS, App
from of_demo import UNITS

from explorer.jobs.job import LONG, Job
from explorer.ui.pages.network.tunings import Tuning, all_tunings, folder_of, start
from explorer.ui.work import visitors
from explorer.ui.work.address import RUN_ID, new_id
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.run_jobs import key_of

Open = Callable[..., App]
ANNA, BERT = "workspace-of-anna", "workspace-of-bert"
RUN = "a-run-of-anna"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The app is served beyond this computer; the cookies of whoever opens a tab."""
    cookies: dict[str, str] = {}
    monkeypatch.setattr(visitors, "_tokens", ["a-token-of-the-tests"])
    monkeypatch.setattr(visitors.st, "context", SimpleNamespace(cookies=cookies, theme=SimpleNamespace(type="light")))
    return cookies


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """Lets the work of a test end; it has ended after the test."""
    event = threading.Event()
    yield event
    event.set()
    for job in list(JOBS._jobs.values()):
        job.cancel()
        job.wait(SECONDS)


def acting(monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    """From now on, outside of tabs, this visitor is meant."""
    monkeypatch.setattr(visitors, "id_in_address", lambda *_: who)


def test_on_this_computer_alone_the_work_folder_is_the_whole(open_app: Open, workdir: Path) -> None:
    app = open_app("prune", workspace=ANNA).click("Remove 10").fine()
    assert {path.name for path in workdir.iterdir()} >= {"runs"}
    assert not (workdir / "people").exists()
    assert (workdir / "runs" / app.run / "run.json").is_file()
    assert key_of("step", RUN) == f"step-{RUN}"


def test_a_run_lies_in_its_visitors_folder_and_only_there_is_found(
    served: dict[str, str], open_app: Open, workdir: Path
) -> None:
    app = open_app("prune", workspace=ANNA, run=RUN).click("Remove 10").fine()
    assert app.facts["Units"].startswith(str(UNITS - 10))
    assert [path.relative_to(workdir).parts[:3] for path in workdir.rglob("run.json")] == [("people", ANNA, "runs")]
    assert open_app("prune", workspace=ANNA, run=RUN).facts["Units"].startswith(str(UNITS - 10))  # by its link
    for other in (BERT, "../" + ANNA, "..", ""):
        assert open_app("prune", workspace=other, run=RUN).fine().facts["Units"].startswith(str(UNITS)), other
    assert len(list(workdir.rglob("run.json"))) == 1


def test_a_visitor_without_a_workspace_gets_a_new_one_that_the_address_keeps(
    served: dict[str, str], open_app: Open
) -> None:
    first, second = open_app(), open_app()
    names = [app.test.query_params["workspace"] for app in (first, second)]
    assert names[0] != names[1] and min(map(len, names)) >= 12
    assert first.go("prune").fine().test.query_params["workspace"] == names[0]


def test_a_browser_is_known_by_its_cookie_and_told_when_it_is_elsewhere(served: dict[str, str], open_app: Open) -> None:
    served[visitors.WORKSPACE_COOKIE] = ANNA
    assert open_app().test.query_params["workspace"] == ANNA
    assert visitors.SHARED not in open_app().text
    assert open_app(workspace="..").test.query_params["workspace"] == ANNA
    assert visitors.SHARED in open_app(workspace=BERT).text


def test_fine_tunings_of_others_are_neither_listed_nor_named(
    served: dict[str, str], workdir: Path, monkeypatch: pytest.MonkeyPatch, released: threading.Event
) -> None:
    running = threading.Event()
    monkeypatch.setattr(
        "explorer.ui.pages.network.tunings._work", lambda tuning, job: (running.set(), released.wait(SECONDS))
    )
    acting(monkeypatch, ANNA)
    hers = start(Tuning("explorer:vgg_small"))
    assert running.wait(SECONDS)
    assert [folder_of(tuning) for tuning in all_tunings()] == [
        workdir / "people" / ANNA / "tunings" / Tuning("explorer:vgg_small").id
    ]
    acting(monkeypatch, BERT)
    assert all_tunings() == []
    his = start(Tuning("explorer:vgg_small"))
    assert his is not hers and his.key != hers.key
    assert his.where == "waits for: what somebody else asked for"
    assert start(Tuning("explorer:vgg_small")) is his


def test_a_job_works_in_the_folder_of_who_began_it(
    served: dict[str, str], workdir: Path, monkeypatch: pytest.MonkeyPatch, released: threading.Event
) -> None:
    def work(job: Job) -> Path:
        released.wait(SECONDS)
        return visitors.workdir()

    acting(monkeypatch, ANNA)
    hers = JOBS.submit(f"where-{new_id()}", "Where", work, LONG)
    acting(monkeypatch, BERT)
    his = JOBS.submit(f"where-{new_id()}", "Where", work, LONG)
    released.set()
    his.wait(SECONDS)
    assert (hers.result, his.result) == (workdir / "people" / ANNA, workdir / "people" / BERT)


def test_nothing_but_the_names_of_workspaces_is_taken_from_the_address(
    served: dict[str, str], open_app: Open, workdir: Path
) -> None:
    for name in ("../../../tmp/evil", "a/../../b", ".", "a" * 400, "\x00" * 9, "<b>12345678"):
        open_app("prune", workspace=name).click("Remove 10").fine()
    assert {path.name for path in workdir.iterdir()} == {"people"}
    assert all(RUN_ID.fullmatch(path.name) for path in (workdir / "people").iterdir())
