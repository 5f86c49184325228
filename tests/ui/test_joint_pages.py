"""Joint linearised pruning on the pages, and what is predicted before it is measured."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable

import pytest
import torch
from driving import App
from of_demo import UNITS

from explorer.evaluation.evaluate import evaluate
from explorer.networks.units import newly_removed, none_removed
from explorer.pruning import joint
from explorer.runs.store import Run
from explorer.scoring.criteria import CRITERIA, applicable
from explorer.ui.work import joint_jobs, workspace
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.workspace import Source

Open = Callable[..., App]
Saved = Callable[[str], Run]


@pytest.fixture
def jointly(open_app: Open) -> App:
    """The Prune page with joint linearised pruning chosen."""
    return open_app("prune").set("Criterion", "joint").fine()


def test_one_and_ten_are_those_of_the_joint_order_of_the_network_as_it_is(jointly: App, saved: Saved) -> None:
    app = jointly.click("Remove 1").fine().click("Remove 10").fine()
    assert app.facts["Units"] == str(UNITS - 11)
    timeline = saved(app.run).timeline
    assert [state.how for state in list(timeline.states.values())[1:]] == [
        "1 unit by Joint linearised",
        "10 units by Joint linearised",
    ]
    opened = workspace.open_workspace(Source())
    said = evaluate(opened.network, opened.calibration).logits
    places = joint.ranking(opened.network, opened.calibration, said).places
    assert timeline.states[1].removed == (opened.network.units.labels[int(places.argmin())],)
    assert "Place in the order" not in app.text and "the network as it is now" in app.text


def test_down_to_a_target_is_the_engines_selection(jointly: App, saved: Saved) -> None:
    app = jointly.set("Down to, %", 60).click("Prune to this goal").fine()
    opened = workspace.open_workspace(Source())
    whole = none_removed(opened.network.units)
    expected = joint.select(opened.network, opened.costs, opened.calibration, whole, joint.Course("units", 0.6))
    state = saved(app.run).timeline.state
    assert state.removed == newly_removed(opened.network.units, whole, expected)
    assert state.how == "down to 60 % of the units by Joint linearised"
    app.click("Prune to this goal")
    assert "At most 60% of the units is left already: there is nothing to remove." in app.said
    assert "can't be reached" in app.set("Down to, %", 1).click("Prune to this goal").said


def test_scaling_and_the_choice_of_network_are_not_asked_for(jointly: App) -> None:
    labels = {each.label for each in (*jointly.test.selectbox, *jointly.test.toggle)}
    assert not {"Scale per layer", "Rank anew after every step"} & labels
    assert "Price of a unit" in labels


def test_the_oracle_page_falls_back_to_a_criterion(jointly: App) -> None:
    app = jointly.go("oracle").fine()
    (compared,) = (box for box in app.test.selectbox if box.label == "Compared with")
    known = applicable(workspace.open_workspace(Source()).network)
    assert compared.options == [CRITERIA[name].title for name in known]
    assert compared.options[compared.proto.default] == CRITERIA["taylor"].title
    drawn = json.dumps(app.figure("ranks-0"))
    assert "Taylor" in drawn and "Joint" not in drawn


def test_the_saliency_page_shows_places(open_app: Open) -> None:
    app = open_app("saliency", criterion="Joint linearised").fine()
    assert "Joint linearised of every unit" in app.text
    app.set("Exactly", 30.0).fine()
    assert "**30 units would go.**" in app.text


def test_a_threshold_is_predicted_until_it_is_measured(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_app("saliency").fine()
    opened = workspace.open_workspace(Source())
    joint_jobs.linearising_job(opened, none_removed(opened.network.units)).wait(60)
    may_go_on = threading.Event()

    def slow(*arguments):
        may_go_on.wait(60)
        return evaluate(*arguments)

    monkeypatch.setattr("explorer.ui.work.results.evaluate", slow)
    app.set("Exactly", 0.005).fine()
    assert f"Predicted from slopes, rough where many go, for {workspace.VALIDATION} validation images" in app.text
    predicted, nothing_yet = table(app, "Predicted"), table(app, "Measured")
    assert nothing_yet["Loss"] == nothing_yet["Accuracy"] == "…" and nothing_yet["Units"].isdigit()
    may_go_on.set()
    for job in list(JOBS._jobs.values()):
        job.wait(60)
    app.again().fine()
    assert f"Measured on {workspace.VALIDATION} validation images" in app.text and "Predicted" not in app.text
    measured = table(app, "Measured")
    assert measured["Units"] == nothing_yet["Units"]
    assert table(app, "Predicted") == predicted
    difference = float(predicted["Loss"]) - float(measured["Loss"])
    assert abs(difference) < 0.02
    said = re.search(r"The prediction was off by ([+−±][\d.]+) in loss and [+−±][\d.]+ points in accuracy", app.text)
    assert said and float(said[1].replace("−", "-").replace("±", "")) == pytest.approx(difference, abs=1.5e-4)


def table(app: App, column: str) -> dict[str, str]:
    frame = app.test.table[0].value
    return dict(zip(frame[""], frame[column], strict=True))


def test_few_linearisations_are_kept(open_app: Open) -> None:
    opened = workspace.open_workspace(Source())
    plans = []
    for unit in range(joint_jobs.LINEARISATIONS_KEPT + 2):
        plan = none_removed(opened.network.units)
        plan[unit] = True
        plans.append(plan)
        joint_jobs.linearising_job(opened, plan).wait(60)
    kept = [job for job in JOBS._jobs.values() if job.label == "Linearising" and job.result is not None]
    assert len(kept) == joint_jobs.LINEARISATIONS_KEPT
    assert joint_jobs.predicted_outcome(opened, plans[-1], plans[-1] | plans[0]) is not None


def test_a_linearisation_that_gave_way_to_another_is_begun_again(open_app: Open) -> None:
    opened = workspace.open_workspace(Source())
    first, second = none_removed(opened.network.units), none_removed(opened.network.units)
    first[[100, 101]], second[[100, 102]] = True, True
    gone = joint_jobs.linearising_job(opened, first)
    joint_jobs.linearising_job(opened, second)
    gone.wait(60)
    assert gone.state == "cancelled"
    again = joint_jobs.linearising_job(opened, first)
    again.wait(60)
    assert again.state == "done"


def test_what_takes_too_much_memory_is_not_linearised(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = workspace.open_workspace(Source())
    monkeypatch.setattr(joint_jobs, "MAX_SLOPES", workspace.VALIDATION * 10 * UNITS - 1)
    assert joint_jobs.linearising_job(opened, none_removed(opened.network.units)) is None
    assert (
        joint_jobs.predicted_outcome(opened, none_removed(opened.network.units), torch.ones(UNITS, dtype=torch.bool))
        is None
    )
