"""The Challenge page: choosing by hand, what is said of it, and the link."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driving import App

from explorer.evaluation.evaluate import evaluate
from explorer.pruning.challenge import challenge_of, hand_plan
from explorer.ui.components.picks.picks import Picked
from explorer.ui.pages.challenge import contest, units
from explorer.ui.work.workspace import Source, open_workspace

Open = Callable[..., App]


def choose(app: App, units: tuple[tuple[str, int], ...]) -> App:
    """Choose these units, as the browser tells the page."""
    network = open_workspace(Source()).network
    app.test.session_state[f"picked-{network.digest}"] = Picked(units, 1)
    return app.again().fine()


def test_a_choice_is_measured_beside_taylors_joint_and_chances_and_kept_as_a_score(open_app: Open) -> None:
    workspace = open_workspace(Source())
    network = workspace.network
    link = str(challenge_of(network, 3, 5))
    app = open_app("challenge", challenge=link).fine()
    assert app.buttons["Measure"] is False and "Choose 3 more units" in app.text
    chosen = network.units.labels[:2]
    assert "Choose 1 more unit" in choose(app, chosen).text
    chosen = (*chosen, network.units.labels[-1])
    choose(app, chosen).click("Measure").fine()

    first, last = network.units.labels[0][0], network.units.labels[-1][0]
    plan = hand_plan(network.units, {first: (chosen[0][1], chosen[1][1]), last: (chosen[2][1],)}, 3)
    mine = evaluate(network, workspace.validation, plan)
    table, scores = app.test.table[0].value, app.test.table[1].value
    assert list(table[""]) == list(contest.NAMES.values())
    assert table["loss"][0] == f"{mine.loss:.4f} ± {mine.loss_error:.4f}"
    assert scores["your loss"][0] == f"{mine.loss:.4f}" and scores["seed"][0] == "5"
    assert app.charts == 1
    assert app.test.query_params["challenge"] == link
    assert "these 64 images" in app.text

    app.click("New challenge").fine()
    assert app.test.query_params["challenge"] != link and app.buttons["Measure"] is False
    assert len(app.test.table) == 1  # the scores alone


def test_a_link_for_another_network_says_so_and_offers_a_challenge_on_this_one(open_app: Open) -> None:
    app = open_app("challenge", challenge=f"{'0' * 16}.5.2")
    assert "was made for another network" in app.said and "0000000000000000" in app.said
    app.click("Challenge on").fine()
    assert "Choose 10 more units" in app.text
    app = open_app("challenge", challenge="<b>")
    assert "is no challenge" in app.said


def test_of_a_large_network_one_layer_is_seen_and_an_unknown_one_is_the_first(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = open_workspace(Source()).network
    monkeypatch.setattr(units, "MOST_SEEN", len(network.units) - 1)
    boards = []
    monkeypatch.setattr(units, "picks", lambda board, *args, **options: boards.append(board))
    app = open_app("challenge").fine()
    assert "Click a layer's name to see its units" in app.text
    for asked, seen in (("of another network", 0), (network.units.layers[2].name, 2)):
        app.test.session_state[units.LAYER] = asked
        app.again().fine()
        shown = [layer.name for layer in boards[-1].layers if layer.sheet]
        assert shown == [network.units.layers[seen].name] and boards[-1].single


def test_a_choice_is_fine_tuned_a_little_beside_the_others(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contest, "UPDATES", 1)
    network = open_workspace(Source()).network
    app = open_app("challenge", challenge=str(challenge_of(network, 1, 0))).fine()
    choose(app, network.units.labels[:1]).click("Measure").click("Fine-tune each a little").fine()
    from explorer.ui.work.jobs import JOBS

    job = next(each for key, each in JOBS._jobs.items() if "challenge-tuned" in key)
    job.wait(60)
    assert "After fine-tuning: " in app.again().fine().text
