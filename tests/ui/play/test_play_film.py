"""Play: the states of the way to the last unit are states of the run, with the same figures, measured once."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from driving import SECONDS, App
from samples_at_hand import checkpoint

from explorer.core.errors import BadInput
from explorer.evaluation.evaluate import evaluate
from explorer.evaluation.metrics import Metrics
from explorer.networks.surgery import prune
from explorer.runs.store import Run
from explorer.runs.timeline import path, removed_at
from explorer.ui.components.play.play import Progress, Reel, Shot, Whole, reel_data
from explorer.ui.pages.prune.baseline import baseline_metrics
from explorer.ui.play import film, playing
from explorer.ui.play.film import Film
from explorer.ui.work import run_jobs
from explorer.ui.work.changes import delete
from explorer.ui.work.session import View, _saved, _view

Open = Callable[..., App]
Saved = Callable[[str], Run]


def view(app: App) -> View:
    return _view(app.run, _saved(app.run))


def played(app: App, **asked: object) -> Film:
    now = view(app)
    job = playing.begin(now, playing.usual_choice(now), **asked)
    job.wait(SECONDS)
    assert (job.state, job.error) == ("done", "")
    return job.live


@pytest.fixture
def far_down(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> App:
    """A tab at a state that few steps, quickly measured, lead to the end from."""
    monkeypatch.setattr(film, "STEPS", 20)
    return open_app("prune").set("Down to, %", 20).click("Prune to this goal").fine()


def test_every_state_of_the_film_is_a_state_of_the_run_and_nobody_is_moved(far_down: App, saved: Saved) -> None:
    found = played(far_down)
    states = saved(far_down.run).states
    assert states.current == found.numbers[0] == 1 and len(found.shots) == found.expected > 3
    assert list(path(states, found.numbers[-1])) == [0, *found.numbers]
    now = view(far_down)
    for number, shot in zip(found.numbers, found.shots, strict=True):
        assert shot.metrics == states.states[number].metrics
        assert sum(shot.kept) == shot.metrics.units
        removed = removed_at(states, now.loaded.network.units, number)
        outcome = evaluate(prune(now.loaded.network, removed), now.loaded.validation)
        assert shot.metrics.loss == pytest.approx(outcome.loss, rel=1e-5)
        assert shot.answers == tuple(outcome.logits[: film.PICTURES].argmax(1).tolist())
        assert shot.rival.units == shot.metrics.units
    assert min(found.shots[-1].kept) == max(found.shots[-1].kept) == 1
    assert far_down.again().fine().text.count("The way so far") == 1


def test_what_was_played_is_neither_measured_nor_kept_twice(
    far_down: App, saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = played(far_down)
    count = saved(far_down.run).states.made
    with monkeypatch.context() as patch:
        patch.setattr(film, "evaluate", lambda *args, **options: pytest.fail("measured again"))
        again = played(far_down, go_to=2)
    assert again.numbers == first.numbers and again.shots == first.shots
    states = saved(far_down.run).states
    assert (states.made, states.current) == (count, first.numbers[2])
    onwards = played(far_down.again())
    assert onwards.numbers == first.numbers[2:] and saved(far_down.run).states.made == count


def test_a_page_drawn_before_its_states_were_kept_shows_them_and_none_once_one_is_deleted(far_down: App) -> None:
    before = view(far_down)
    found = played(far_down)
    assert playing.film_in_view(before, found.chosen)[1] is found
    assert playing.film_in_view(view(far_down), found.chosen)[1] is found
    delete(view(far_down), found.numbers[-1])
    assert playing.film_in_view(view(far_down), found.chosen)[1] is None


def test_the_rival_of_the_curve_is_not_measured_again(far_down: App) -> None:
    found, now = played(far_down), view(far_down).as_loaded
    whole = len(now.loaded.network.units)
    by = playing.usual_choice(now)
    counts = [whole - shot.metrics.units for shot in found.shots]
    _, missing = baseline_metrics(now, by, counts)
    assert missing is None  # Taylor's own way, from the network as loaded in one go


def test_a_cancelled_film_keeps_what_was_measured_and_the_run_waits_until_then(
    far_down: App, saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, seen = view(far_down), []
    real = playing.shots

    def watched(*args: object) -> object:
        for each in real(*args):
            seen.append(run_jobs.why_busy(far_down.run))
            yield each
            if len(seen) == 2:
                run_jobs.latest_job(far_down.run, run_jobs.PLAY).cancel()

    monkeypatch.setattr(playing, "shots", watched)
    monkeypatch.setattr(film, "measured_earlier", lambda workspace, plan: None)
    job = playing.begin(now, playing.usual_choice(now))
    job.wait(SECONDS)
    assert job.state == "cancelled" and seen == ["“Play to the end” is working on this run: cancel it first."] * 2
    assert saved(far_down.run).states.made == 3 and len(job.live.shots) == 2
    assert "Play to the end: cancelled" in far_down.again().said and "2 measured states are kept" in far_down.said
    monkeypatch.undo()


def test_without_images_structure_and_costs_are_played(
    open_app: Open, saved: Saved, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(film, "STEPS", 5)
    app = open_app().click("Open another network").upload("mine.pt", checkpoint()).choose("Images", "none")
    app = app.click("Open").go("prune").fine()
    found = played(app)
    assert {shot.metrics.loss for shot in found.shots} == {None} and len(found.shots) == film.STEPS + 1
    assert [shot.metrics.units for shot in found.shots] == sorted({s.metrics.units for s in found.shots}, reverse=True)
    assert saved(app.run).states.states[found.numbers[-1]].metrics.flops == found.shots[-1].metrics.flops
    end = played(app, go_to=film.STEPS)
    with pytest.raises(BadInput, match="nothing to play: no unit can go"):
        playing.begin(view(app), end.chosen)


def test_the_browser_gets_the_figures_as_they_were_measured() -> None:
    metrics = Metrics(0.25, 0.75, 8, units=3, parameters=70, flops=1000)
    rival = Metrics(1.5, 0.125, 8, units=3, parameters=60, flops=900)
    whole = Shot(Metrics(0.1, 1.0, 8, 5, 100, 2000), (4, 1), (1500, 500))
    reel = Reel(
        name="a way",
        whole=Whole(("first", "second"), whole, ("cat", "dog")),
        shots=[Shot(metrics, (2, 1), (750, 250), (1, 1), rival)],
        current=0,
        pictures=(),
        criterion="taylor",
        title="Taylor",
        rival="random",
        missing="",
    )
    data = json.loads(json.dumps(reel_data(reel, Progress("measuring", "Measured 1 of 4 states", 4))))
    (shot,) = data["shots"]
    for found, expected in ((shot, metrics), (shot["rival"], rival)):
        assert {name: found[name] for name in ("loss", "accuracy", "units", "parameters", "flops")} == {
            name: getattr(expected, name) for name in ("loss", "accuracy", "units", "parameters", "flops")
        }
    assert (shot["kept"], shot["costs"], shot["answers"]) == ([2, 1], [750, 250], [1, 1])
    assert [layer["height"] for layer in data["layers"]] == [1.0, 0.5]  # the square root of 1 / 4
    assert data["classes"] == {"1": "dog"} and data["dearest"] == 1500
