"""Buttons: whatever jobs do, no page has two of the same name, and every Cancel says what it cancels."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from driving import App
from told import check_names

from explorer.core.errors import BadInput
from explorer.jobs.job import LONG, QUICK, SPARE, Job
from explorer.ui.work import workspace
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.oracle_job import oracle_key
from explorer.ui.work.workspace import Source

Open = Callable[..., App]
RUN = "a-run-with-many-jobs"
LABELS = {  # what the jobs of a page are called
    "prune": {"step": "10 units by Taylor", "turns": "In turns", "scratch": "State 0 from scratch"},
    "saliency": {"step": "10 units by Taylor", "turns": "In turns"},
    "oracle": {"oracle": "The oracle of every unit", "step": "10 units by Taylor"},
    "export": {"export": "Files of state 0", "speed": "Speed of state 0", "step": "10 units by Taylor"},
}
SECONDS = 60
STATES = ("active", "cancelled", "failed", "broken")


@pytest.fixture
def submitted() -> Iterator[Callable[[str, str, str, str], Job]]:
    """Call with key, label, state and lane: a job that stands still or has ended so."""
    begun: list[Job] = []

    def submit(key: str, label: str, state: str, lane: str) -> Job:
        def work(job: Job) -> None:
            while state in ("active", "cancelled"):
                job.report(1, 4)
                job._stop.wait(0.005)
            raise BadInput("The disk is full.") if state == "failed" else RuntimeError("nobody foresaw it")

        job = JOBS.submit(key, label, work, lane)
        begun.append(job)
        if state == "cancelled":
            job.cancel()
        if state != "active":
            job.wait(SECONDS)
        return job

    yield submit
    for job in begun:
        job.cancel()
        job.wait(SECONDS)
        JOBS.forget(job.key)


def key(kind: str) -> str:
    if kind == "oracle":
        return oracle_key(workspace.open_workspace(Source()))
    return f"{kind}-{RUN}-0" if kind in ("export", "speed") else f"{kind}-{RUN}"


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("page", LABELS)
def test_no_two_buttons_have_one_name(
    open_app: Open, submitted: Callable[[str, str, str, str], Job], page: str, state: str
) -> None:
    app = open_app(page, run=RUN).fine()
    for lane, (kind, label) in zip((QUICK, LONG, SPARE), LABELS[page].items(), strict=False):  # none waits for another
        submitted(key(kind), label, state, lane)
    app.again()
    assert not app.test.exception
    check_names(app)
    shown = {label for kind, label in LABELS[page].items() if not (page == "saliency" and kind == "turns")}
    verb = "Cancel" if state == "active" else "Dismiss"
    assert {f"{verb}: {label}" for label in shown} == {name for name in app.buttons if name.startswith(verb)}
    if page in ("prune", "saliency"):
        assert app.buttons["Undo"] is False  # at the root, and while a job works
