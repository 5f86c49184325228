"""A checkpoint opened without images: pruned by its weights on every page, nothing that only images tell is claimed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from driving import App
from samples_at_hand import SMALL_UNITS, checkpoint, folder_of_shades

from explorer.pruning.selectors import SELECTORS
from explorer.runs.store import Run
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.run_jobs import EXPORT, key_of
from explorer.upkeep.audit import OK, audit

Open = Callable[..., App]
OF_WEIGHTS = ["weight", "l1", "fpgm", "random"]  # the network has no batch-norm


@pytest.fixture
def app(open_app: Open) -> App:
    """A tab on a network of two classes, opened without images."""
    opened = open_app().click("Open another network").upload("mine.pt", checkpoint()).choose("Images", "none").fine()
    assert "can be added later" in opened.text and opened.buttons["Open"]
    return opened.click("Open").fine()


def unmeasured(app: App) -> None:
    """Nothing on the page reads as if it had been measured."""
    assert app.facts["Loss"] == app.facts["Accuracy"] == "not measured"
    tables = " ".join(frame.value.to_string() for frame in (*app.test.dataframe, *app.test.table))
    assert "nan" not in tables and "None" not in tables
    assert "no validation images" in app.bar


def test_structure_and_costs_are_shown_and_what_images_would_add(app: App, saved: Callable[[str], Run]) -> None:
    assert saved(app.run).data["source"] is None
    unmeasured(app)
    assert app.charts == 1 and "Images would add" in app.said
    assert any("<dd>none yet</dd>" in html.proto.body for html in app.test.get("html"))
    (layers,) = app.test.dataframe
    assert sum(layers.value["Units"]) == SMALL_UNITS and "Right and wrong" not in app.text


def test_criteria_of_weights_are_offered_and_the_others_wait_with_one_reason(app: App) -> None:
    app.go("saliency").fine()
    unmeasured(app)
    boxes = {box.label: box for box in app.test.selectbox}
    assert boxes["Criterion"].options == [SELECTORS[name].title for name in OF_WEIGHTS]
    assert boxes["With images also"].disabled and "Taylor" in boxes["With images also"].options
    assert "open the network again with images" in app.text
    handle = next(part.proto for part in app.test.get("bidi_component") if "threshold" in part.proto.component_name)
    assert json.loads(handle.json)["curve"] is None  # no axes that would stay empty
    app.set("Criterion", "L1 norm").set("Exactly", 0.2).fine()
    shown = app.test.table[0].value
    assert "not measured" in shown.to_string() and str(SMALL_UNITS) not in shown.iloc[0].tolist()
    app.click("Remove ").fine()
    unmeasured(app)
    assert int(app.facts["Units"]) < SMALL_UNITS


def test_it_is_pruned_step_by_step_and_back_and_opens_again(
    app: App, open_app: Open, saved: Callable[[str], Run], workdir: Path
) -> None:
    app.go("prune").click("Remove 10").fine()
    assert app.facts["Units"] == str(SMALL_UNITS - 10)
    app.click("Prune to this goal").fine()
    unmeasured(app)
    assert app.facts["Units"] == str(SMALL_UNITS // 2) and app.charts == 1
    assert not {"Prune and fine-tune", "Train from scratch"} & set(app.buttons)
    assert set(next(box for box in app.test.selectbox if box.label == "of the").options) == {
        "units",
        "parameters",
        "FLOPs",
    }
    assert app.click("Undo").fine().facts["Units"] == str(SMALL_UNITS - 10) and app.click("Redo").fine().facts[
        "Units"
    ] == str(SMALL_UNITS // 2)
    states = saved(app.run).states.states.values()
    assert {(state.metrics.loss, state.metrics.accuracy, state.metrics.images) for state in states} == {(None, None, 0)}
    again = open_app("prune", run=app.run).fine()
    assert again.facts == app.facts
    rows = next(frame.value for frame in again.test.dataframe if "How" in frame.value)
    assert set(rows["Accuracy"]) == set(rows["Loss"]) == {"not measured"}
    assert {each.standing for each in audit(workdir)} == {OK}


@pytest.mark.parametrize("page", ["oracle", "compare", "paper"])
def test_pages_that_measure_say_what_images_would_add(app: App, page: str) -> None:
    app.go(page).fine()
    unmeasured(app)
    assert sum("This run has no images yet. With images" in each.value for each in app.test.info) == 1


def test_its_files_are_proven_on_random_inputs(app: App) -> None:
    app.go("prune").click("Remove 10").go("export").fine()
    assert "64 random inputs (seed 0)" in app.text
    app.click("Make and prove")
    job = JOBS.find(key_of(EXPORT, app.run, 1))
    assert job is not None
    job.wait(120)
    app.again().fine()
    assert "64 random inputs (seed 0)" in app.said and "100.0% of the predictions agree" in app.said
    proven = next(frame.value for frame in app.test.dataframe if "Right" in frame.value)
    assert set(proven["Right"]) == {"–"} and "yes" in set(proven["Proven"])
    page = next(path for path in job.result.files.values() if path.suffix == ".html").read_text()
    assert "not measured" in page and "nan" not in page


def test_images_are_added_by_opening_it_again(app: App, tmp_path: Path) -> None:
    again = app.click("Open another network").upload("mine.pt", checkpoint())
    again.images(folder_of_shades(tmp_path / "shades")).click("Open").fine()
    assert again.facts["Accuracy"].endswith("%") and "No images yet" not in again.said


def test_one_unit_is_looked_at_by_its_weights(app: App) -> None:
    app.go("saliency").click("Look at this unit").fine()
    unmeasured(app)
    assert "With images, those that excite it would be shown here." in app.text
    places = next(frame.value for frame in app.test.dataframe if "Criterion" in frame.value)
    assert list(places["Criterion"]) == [SELECTORS[name].title for name in OF_WEIGHTS]
