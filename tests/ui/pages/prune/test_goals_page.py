"""The goals of the Prune page, what can't be reached, and the control from scratch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from driving import App
from of_demo import UNITS

from explorer.evaluation.evaluate import evaluate
from explorer.pruning.goals import GOALS
from explorer.runs.store import Run
from explorer.runs.timeline import updates_at
from explorer.ui.pages.prune.turns_live import POINTS, Live
from explorer.ui.work import workspace
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.workspace import Source

Open = Callable[..., App]
Saved = Callable[[str], Run]


def test_every_goal_can_be_chosen_and_has_its_number(open_app: Open) -> None:
    app = open_app("prune")
    for name, goal in GOALS.items():
        app.set("of the", name).fine()
        assert goal.label in {box.label for box in app.test.number_input}


def test_go_finds_how_far_an_accuracy_lasts(open_app: Open, saved: Saved) -> None:
    app = open_app("prune").set("of the", "accuracy").set("At least, %", 90.0).click("Prune to this goal").fine()
    states = saved(app.run).timeline
    assert states.state.metrics.accuracy >= 0.9 and states.state.metrics.units < UNITS
    assert states.state.how.startswith("at least 90 % of the accuracy by Taylor, layer-wise l2, ")
    count = int(states.state.how.removesuffix(" measurements").rsplit(" ", 1)[1])
    assert 5 <= count <= 11
    again = app.click("Prune to this goal")
    assert "Nothing can go (at least 90 % of the accuracy): without the next to go, the accuracy is 0." in again.said


def test_joint_pruning_walks_until_a_loss_is_spent(open_app: Open, saved: Saved) -> None:
    app = (
        open_app("prune")
        .set("Criterion", "joint")
        .set("of the", "loss")
        .set("At most, nats", 0.5)
        .click("Prune to this goal")
    )
    states = saved(app.fine().run).timeline
    assert states.state.metrics.loss <= 0.5 and states.state.metrics.units < 440
    assert "Joint linearised" in states.state.how and states.state.how.endswith("measurements")


def test_a_latency_is_measured_and_shown(open_app: Open, saved: Saved, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "explorer.pruning.search.latency_share", lambda full, less, report: len(less.units) / len(full.units)
    )
    app = open_app("prune").set("of the", "latency").set("Down to, %", 75).click("Prune to this goal").fine()
    assert saved(app.run).timeline.state.metrics.latency == 0.75 and app.facts["Latency"] == "75.0%"
    assert "is left already: there is nothing to remove" in app.click("Prune to this goal").said


def test_a_spent_budget_and_a_goal_that_is_met_say_so_at_once(open_app: Open) -> None:
    app = open_app("prune").set("of the", "accuracy").set("At least, %", 99.9)
    for button in ("Prune to this goal", "Prune and fine-tune"):
        assert "The budget is spent before the first step: the accuracy is 0.9" in app.click(button).said
    app.set("of the", "units").set("Down to, %", 99).click("Prune to this goal")
    assert "This state is there already" in app.click("Prune and fine-tune").said


def test_what_updates_can_not_say_is_refused_in_a_sentence(open_app: Open) -> None:
    app = open_app("prune").set("Criterion", "obd").set("Rank each step by", "updates").click("Prune and fine-tune")
    assert "can't be computed from the updates' own minibatches" in app.said


def test_in_turns_ranked_by_updates_going_on_takes_up_what_they_said(open_app: Open, saved: Saved) -> None:
    whole, parts = open_app("prune"), open_app("prune")
    for app, targets in ((whole, (80,)), (parts, (90, 80))):
        for target in targets:
            for label, value in {
                "Down to, %": target,
                "Units per step": UNITS - int(0.9 * UNITS),
                "Updates per step": 2,
                "Rank each step by": "updates",
            }.items():
                app.set(label, value)
            app.click("Prune and fine-tune").fine()
            JOBS.find(f"turns-{app.run}").wait(180)
            assert "Reached: down to" in app.again().fine().said
            app.click("Dismiss")
    one, two = (saved(app.run).timeline for app in (whole, parts))
    assert [state.removed for state in one.states.values()] == [state.removed for state in two.states.values()]
    assert [state.metrics for state in one.states.values()] == [state.metrics for state in two.states.values()]
    assert [state.weights for state in one.states.values()] == [state.weights for state in two.states.values()]


def test_the_shape_is_trained_from_scratch_and_drawn(open_app: Open, saved: Saved, workdir: Path) -> None:
    app = open_app("prune").click("Remove 10").set("Updates from scratch", 3).click("Train from scratch").fine()
    job = JOBS.find(f"scratch-{app.run}")
    job.wait(180)
    assert job.state == "done", job.error
    state = saved(app.again().fine().run).timeline.state
    assert state.scratch is not None and state.scratch.updates == 3 and state.scratch.metrics.units == UNITS - 10
    assert f"**{state.scratch.metrics.accuracy:.1%}** right" in app.text
    names = [trace["name"] for trace in app.figure("way")["data"]]
    assert any(name.startswith("from scratch") for name in names)
    loaded = workspace.open_workspace(Source())
    assert evaluate(loaded.network, loaded.validation).loss == saved(app.run).timeline.root.metrics.loss
    assert updates_at(saved(app.run).timeline) == 0
    other = open_app("prune", run=app.run)
    assert any(trace["name"].startswith("from scratch") for trace in other.figure("way")["data"])


def test_losses_are_thinned_by_averages() -> None:
    live = Live([], "", "as loaded")
    for update in range(10 * POINTS):
        live.hear(float(update))
    assert len(live.losses) <= POINTS and live.losses[-1][0] > 10 * POINTS - 2 * live.stride
    assert all(loss == pytest.approx(last - (live.stride + 1) / 2) for last, loss in live.losses)
