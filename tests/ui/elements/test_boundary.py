"""The boundary of the app: no page, dialog, fragment, click or job shows a traceback."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from driving import App

import explorer.ui
from explorer.jobs.manager import JobManager
from explorer.ui.pages.network import page as network
from explorer.ui.pages.network import predictions

Open = Callable[..., App]
UI = Path(explorer.ui.__path__[0])
SECRET = "/home/zelda/scans"


def fail(*_: object, **__: object) -> None:
    raise RuntimeError(f"{SECRET} is no place")


def one_report(workdir: Path) -> str:
    (report,) = (workdir / "reports").iterdir()
    return report.read_text()


@pytest.mark.parametrize(
    ("module", "function", "doing"),
    [(network, "_layers", "the page network"), (predictions, "_grid", "a page of the app")],
)
def test_a_page_or_a_part_of_it_that_fails_says_so_and_offers_the_report(
    open_app: Open, workdir: Path, monkeypatch: pytest.MonkeyPatch, module: object, function: str, doing: str
) -> None:
    monkeypatch.setattr(module, function, fail)
    app = open_app()
    assert not app.test.exception and "did not foresee (RuntimeError)" in app.said and SECRET not in app.said
    assert f"While: {doing}" in one_report(workdir) and "zelda" not in one_report(workdir)
    assert [each.label for each in app.test.get("download_button")] == ["Download the report"]


def test_a_click_that_fails_says_so(open_app: Open, workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_app("prune")
    monkeypatch.setattr("explorer.ui.choosing.steps.next_plan", fail)
    app.click("Remove 1")
    assert not app.test.exception and "did not foresee (RuntimeError)" in app.said
    assert "While: a click in the app" in one_report(workdir)


def test_a_job_that_fails_keeps_a_report(workdir: Path) -> None:
    jobs = JobManager()
    job = jobs.submit("a", "work", fail)
    job.wait(10)
    jobs.shutdown()
    assert (job.state, job.report_file) == ("failed", next((workdir / "reports").iterdir()))
    assert "did not foresee (RuntimeError)" in job.error and SECRET not in job.error


def test_what_streamlit_draws_on_its_own_is_drawn_within_the_boundary() -> None:
    for path in UI.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                decorators = [ast.unparse(each) for each in node.decorator_list]
                alone = [each for each in decorators if each.startswith(("st.fragment", "st.dialog"))]
                assert not alone or decorators[-1].startswith("boundary("), f"{path.name}: {node.name}"
