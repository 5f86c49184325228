"""What the next click may ask for is measured ahead: the same numbers, sooner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from driving import SECONDS, App
from of_demo import UNITS

from explorer.core.progress import silent
from explorer.evaluation.evaluate import evaluate
from explorer.jobs.job import Job
from explorer.networks.units import none_removed
from explorer.ui.work import prefetch, workspace
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.workspace import Source, Workspace, open_workspace

Open = Callable[..., App]


def begun(app: App) -> list[Job]:
    return [JOBS.find(key) for key in app.test.session_state[prefetch.LATEST]]


def demo() -> Workspace:
    return open_workspace(Source())


def plan(*units: int) -> torch.Tensor:
    removed = none_removed(demo().network.units)
    removed[list(units)] = True
    return removed


@pytest.fixture(autouse=True)
def nothing_measured() -> None:
    """Whatever other tests have measured is forgotten."""
    for key in list(JOBS._jobs):
        if key.startswith(("ahead-", "measure-")):
            JOBS.forget(key)


def test_a_step_that_was_measured_ahead_is_not_measured_again(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_app("prune").set("Criterion", "random")
    jobs = begun(app)
    for job in jobs:
        job.wait(SECONDS)
    assert [len(job.result.labels) for job in jobs] == [workspace.VALIDATION] * 2

    def refuse(*args: Any) -> None:
        raise AssertionError("measured again")

    with monkeypatch.context() as patch:
        patch.setattr(prefetch, "evaluate", refuse)
        assert app.click("Remove 1").fine().facts["Units"] == str(UNITS - 1)


def test_the_numbers_are_those_of_a_measurement_now() -> None:
    opened, removed = demo(), plan(5, 77, 100)
    ahead_of = JOBS.submit(
        prefetch._key(opened, removed),
        "Measuring ahead",
        lambda job: prefetch._measured(opened, removed, job),
        prefetch.AHEAD,
    )
    found = prefetch.outcome_of(opened, removed, silent)
    now = evaluate(opened.network, opened.validation, removed)
    assert found.logits.equal(now.logits) and found.labels.equal(now.labels)
    ahead_of.wait(SECONDS)
    assert prefetch.outcome_of(opened, removed, silent) is ahead_of.result


def test_what_cannot_be_asked_for_any_more_is_not_measured(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def held(workspace: Workspace, removed: torch.Tensor, job: Job) -> None:
        while True:
            job.report(0, 1)
            job.wait(0.01)

    monkeypatch.setattr(prefetch, "_measured", held)
    app = open_app("prune").set("Criterion", "weight")
    before = begun(app)
    after = begun(app.set("Criterion", "mutual_information"))
    for job in before:
        job.wait(SECONDS)
    assert [job.state for job in before] == ["cancelled"] * 2
    assert len(after) == 2 and not set(before) & set(after)
    for job in after:
        job.cancel()
