"""Fine-tuning in the app: a job that shows its epochs, stops, goes on, and ends in a network that can be opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from driving import App
from of_demo import UNITS
from samples_at_hand import SMALL, checkpoint, shades

from explorer import open_network
from explorer.jobs.job import Job
from explorer.runs.store import Run, read_run
from explorer.training.finetune import NONE, Recipe
from explorer.ui.pages.network.tunings import Tuning, all_tunings, find, folder_of, start
from explorer.ui.work import workspace
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.workspace import keep_upload

Open = Callable[..., App]
FAST = Recipe(0.01, batch_size=8)


@pytest.fixture
def data(tmp_path: Path) -> str:
    """60 images of two classes that differ in brightness."""
    x, y = shades(60)
    np.savez(tmp_path / "shades.npz", x=x, y=y)
    return str(tmp_path / "shades.npz")


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    """No job outlives its test."""
    yield
    for job in list(JOBS._jobs.values()):
        job.cancel()
        job.wait(20)
        if job.key.startswith("tuning-"):
            JOBS.forget(job.key)


def job_of(tuning: Tuning) -> Job:
    job = JOBS.find(f"tuning-{tuning.id}")
    assert job is not None
    return job


def form(open_app: Open, data: str) -> App:
    """The dialog with few and fast epochs, from scratch."""
    app = open_app().click("Fine-tune a network").set("Architecture", SMALL)
    app.choose("Start from the weights", NONE).images(data)
    return app.set("Epochs", 3).set("Learning rate", 0.01).set("Minibatch, images", 8)


def started(app: App) -> Tuning:
    """Press Start; the fine-tuning, once it has ended."""
    app.click("Start")
    (tuning,) = all_tunings()
    job_of(tuning).wait(60)
    app.again()
    return tuning


def stopped(tuning: Tuning, epochs: int = 2) -> Run:
    """A fine-tuning that was cancelled after some epochs; what its folder says."""
    job = start(tuning)
    job.wait(60, enough=lambda states: states.current >= epochs)
    job.cancel()
    job.wait(20)
    assert job.state == "cancelled"
    return read_run(folder_of(tuning))


def test_from_the_form_to_the_open_network(open_app: Open, data: str, saved: Callable[[str], Run]) -> None:
    app = form(open_app, data).set("Seed", 3)
    tuning = started(app.fine())
    assert tuning == Tuning(SMALL, NONE, "", data, 3, FAST, 3)
    assert app.fine().test.query_params["tuning"] == tuning.id
    states = read_run(folder_of(tuning)).timeline.states
    assert [state.how for state in states.values()] == ["as loaded", "epoch 1", "epoch 2", "epoch 3"]
    assert [trace["name"] for trace in app.figure(f"epochs-{tuning.id}-4")["data"]] == ["loss (nats)", "accuracy"]
    last = states[3].metrics
    assert "12 validation images of shades, seed 3, cpu. Epoch 0 (open mark): before fine-tuning, " in app.text
    assert f"After epoch 3 of 3: {last.accuracy:.1%} right, loss {last.loss:.4f} nats." in app.text
    assert "explorer:vgg_small from random weights; SGD, learning rate 0.01, momentum 0.9" in app.text
    app.click("Open this network").fine()
    assert "vgg_small-on-shades.safetensors" in app.bar and "tuning" not in app.test.query_params
    assert saved(app.run).data == {"source": data, "seed": 3}
    assert (app.facts["Accuracy"], app.facts["Loss"]) == (f"{last.accuracy:.1%}", f"{last.loss:.4f}")
    workspace.open_workspace.clear()  # as after a restart
    assert open_app(run=app.run).fine().facts == app.facts


def test_from_a_checkpoint_of_other_classes(open_app: Open, data: str, workdir: Path) -> None:
    app = form(open_app, data).choose("Start from the weights", "own")
    assert not app.buttons["Start"]
    tuning = started(app.upload("seven.pt", checkpoint(classes=7)).fine())
    assert [path.name for path in (workdir / "uploads").iterdir()] == [tuning.weights]
    assert "from seven.pt; SGD" in app.fine().text
    assert len(open_network(folder_of(tuning)).classes) == 2


def test_a_cancelled_one_keeps_its_epochs_and_goes_on(open_app: Open, data: str) -> None:
    tuning = Tuning(SMALL, NONE, data=data, epochs=12, recipe=FAST)
    held = stopped(tuning)
    number = held.timeline.current
    assert 2 <= number < 12 and not held.finished
    app = open_app(tuning=tuning.id).fine()
    assert f"It stopped after epoch {number} of 12, which is kept: it can go on from there." in app.said
    assert "Open this network" not in app.buttons
    app.click("Go on")
    job_of(tuning).wait(60)
    assert app.again().fine().buttons["Open this network"]
    done = read_run(folder_of(tuning))
    assert done.finished and [s.metrics for s in done.timeline.states.values()][: number + 1] == [
        s.metrics for s in held.timeline.states.values()
    ]


def test_it_goes_on_after_a_restart(open_app: Open, data: str) -> None:
    tuning = Tuning(SMALL, NONE, data=data, epochs=12, recipe=FAST)
    measured = len(stopped(tuning).timeline.states)
    JOBS.forget(f"tuning-{tuning.id}")
    app = open_app(tuning=tuning.id).fine()
    assert app.buttons["Go on"] and app.figure(f"epochs-{tuning.id}-{measured}")
    app.click("Go on")
    job_of(tuning).wait(60)
    assert read_run(folder_of(tuning)).finished


def test_progress_is_live_and_can_be_cancelled(open_app: Open, data: str) -> None:
    tuning = Tuning(SMALL, NONE, data=data, epochs=1000, recipe=FAST)
    job = start(tuning)
    job.wait(60, enough=lambda states: states.current >= 1)
    app = open_app(tuning=tuning.id).fine()
    assert app.buttons[f"Cancel: Fine-tuning {tuning.title}"] and not {
        "Go on",
        "Open this network",
        "Discard this fine-tuning",
    } & set(app.buttons)
    app.click("Cancel")
    job.wait(20)
    assert app.again().fine().buttons["Go on"]


def test_it_is_found_again_without_its_address(open_app: Open, data: str) -> None:
    tuning = Tuning(SMALL, NONE, data=data, epochs=12, recipe=FAST)
    stopped(tuning)
    app = open_app().fine()
    assert "Go on" not in app.buttons
    app.click("Fine-tune a network").click("Show this fine-tuning").fine()
    assert app.buttons["Go on"] and "Start" not in app.buttons
    assert "Go on" not in app.click("Close").fine().buttons
    assert find(tuning.id) == tuning


def test_discarded_it_is_gone(open_app: Open, data: str) -> None:
    tuning = Tuning(SMALL, NONE, data=data, epochs=12, recipe=FAST)
    stopped(tuning)
    app = open_app(tuning=tuning.id).click("Discard this fine-tuning").fine()
    assert not folder_of(tuning).exists() and all_tunings() == []
    assert "Discard this fine-tuning" not in app.buttons


def test_what_fails_in_the_job_is_one_sentence(open_app: Open, data: str) -> None:
    app = form(open_app, data).choose("Start from the weights", "imagenet")
    tuning = started(app)
    assert not app.test.exception
    assert "Nobody publishes ImageNet weights of explorer:vgg_small" in app.said
    assert "It stopped before anything was measured." in app.said
    assert app.facts["Units"] == str(UNITS)
    app.click("Discard this fine-tuning").fine()
    assert not folder_of(tuning).exists()


def test_images_that_are_others_by_now_are_refused(open_app: Open, data: str) -> None:
    tuning = Tuning(SMALL, NONE, data=data, epochs=12, recipe=FAST)
    stopped(tuning)
    x, y = shades(60)
    np.savez(data, x=255 - x, y=y)
    app = open_app(tuning=tuning.id).click("Go on")
    job_of(tuning).wait(60)
    app.again()
    assert "holds a run with data" in app.said and "discard it and start anew." in app.said


def test_a_damaged_folder_says_so_and_the_rest_of_the_page_stays(open_app: Open, data: str) -> None:
    tuning = Tuning(SMALL, NONE, data=data, epochs=12, recipe=FAST)
    stopped(tuning)
    JOBS.forget(f"tuning-{tuning.id}")
    (folder_of(tuning) / "run.json").write_bytes(b"{")
    app = open_app(tuning=tuning.id)
    assert "run.json is damaged: it is not JSON; put back" in app.said and not app.test.exception
    assert "Single predictions" in app.text and app.facts["Units"] == str(UNITS)
    app.click("Discard this fine-tuning").fine()
    assert all_tunings() == []


BAD: dict[str, tuple[dict[str, object], str]] = {
    "no such images": ({"Name, folder or file": "/nowhere"}, "data '/nowhere' does not exist, or is of no known kind"),
    "no number": ({"Std": "x"}, "'x' is not a list of numbers"),
    "a crop larger than the size": ({"Size, pixels": 20, "Crop, pixels": 24}, "crop 24 is larger than size 20"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_sentence_and_starts_nothing(open_app: Open, data: str, name: str) -> None:
    fields, words = BAD[name]
    app = form(open_app, data)
    for label, value in fields.items():
        app.set(label, value)
    if app.buttons["Start"]:
        app.click("Start")
    assert not app.test.exception and words in app.said
    assert all_tunings() == [] and app.facts["Units"] == str(UNITS) and "Start" in app.buttons


@pytest.mark.parametrize("content", [b"hello, this is no network", b""])
def test_a_bad_checkpoint_starts_nothing_and_is_not_kept(
    open_app: Open, data: str, workdir: Path, content: bytes
) -> None:
    app = form(open_app, data).choose("Start from the weights", "own").upload("bad.pt", content).click("Start")
    assert app.said.startswith("bad.pt ") and not app.test.exception
    assert all_tunings() == [] and not (workdir / "uploads").exists()


def test_an_unknown_architecture_is_refused(open_app: Open, data: str) -> None:
    app = form(open_app, data).type("Architecture", "explorer:none")
    assert "The architecture 'explorer:none' is unknown" in app.said and all_tunings() == []


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"arch": "x", "recipe": {"momentum": 2}, "changes": {}}'])
def test_damaged_files_and_made_up_addresses_are_passed_over(
    open_app: Open, data: str, workdir: Path, content: bytes
) -> None:
    folder = workdir / "tunings" / "0123456789abcdef"
    folder.mkdir(parents=True)
    (folder / "tuning.json").write_bytes(content)
    assert all_tunings() == []
    for name in (folder.name, "../../../etc", "x" * 16):
        app = open_app(tuning=name).fine()
        assert app.facts["Units"] == str(UNITS) and "tuning" not in app.test.query_params


def test_the_same_request_finds_what_there_is(data: str) -> None:
    tuning = Tuning(SMALL, NONE, data=data, epochs=2, recipe=FAST)
    for _ in range(2):
        start(tuning).wait(60)
    assert all_tunings() == [tuning] and job_of(tuning).result.finished
    assert Tuning(SMALL, NONE, data=data, epochs=3, recipe=FAST).id != tuning.id


def test_weights_that_are_damaged_in_the_work_folder_are_not_trained(data: str, workdir: Path) -> None:
    content = checkpoint()
    digest = keep_upload(content)
    (workdir / "uploads" / digest).write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    job = start(Tuning(SMALL, digest, "mine.pt", data, 1, FAST))
    job.wait(60)
    assert job.error.startswith("mine.pt is damaged in the work folder (")
    keep_upload(content)
    assert (workdir / "uploads" / digest).read_bytes() == content


def test_what_cannot_be_read_among_the_earlier_ones_is_named(open_app: Open, data: str, workdir: Path) -> None:
    folder = workdir / "tunings" / ("0" * 16)
    folder.mkdir(parents=True)
    (folder / "tuning.json").write_bytes(b"{")
    app = form(open_app, data)
    assert "is damaged: it is not JSON; delete its folder" in app.said
