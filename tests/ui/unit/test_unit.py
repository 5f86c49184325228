"""The dialog about one feature map: from every page that opens it, and on every kind of network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from driving import App
from networks_at_hand import MODULES, UNUSUAL, at_hand
from of_demo import UNITS, WIDTHS
from PIL import Image
from streamlit.testing.v1 import AppTest

from explorer.data import Batches, open_images
from explorer.evaluation.evaluate import evaluate
from explorer.evaluation.metrics import Metrics
from explorer.networks.costs import measure_costs
from explorer.networks.units import none_removed
from explorer.runs import timeline as timelines
from explorer.scoring.ranking import l2, ranks
from explorer.ui.unit import worth as unit_worth
from explorer.ui.unit.dialog import UnitRanking
from explorer.ui.work import workspace
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.oracle_job import oracle, oracle_key, start_oracle
from explorer.ui.work.results import find_measuring_job, plan_digest, scoring_job
from explorer.ui.work.session import View
from explorer.ui.work.workspace import Source, WorkImages, Workspace

Open = Callable[..., App]
RUN = "a-run-of-the-tests"
PARTS = {"unit-overlays", "unit-ranks", "unit-kernel", "unit-classes"}


def demo() -> Workspace:
    return workspace.open_workspace(Source())


def heading(app: App) -> str | None:
    """Which unit the dialog is about."""
    found = [str(each.value) for each in app.test.markdown if str(each.value).startswith("#### ")]
    return found[0].split("\n")[0].removeprefix("#### ") if found else None


def scored() -> dict[str, torch.Tensor]:
    job = scoring_job(demo(), none_removed(demo().network.units))
    job.wait(60)
    return job.result.saliencies


def select(app: App, key: str, selection: dict[str, Any]) -> App:
    """Click in a table or a picture."""
    app.test.session_state[key] = {"selection": selection}
    return app.again().fine()


def clicked_row(app: App, row: int, openings: int = 0) -> App:
    return select(app, f"next-{openings}", {"rows": [], "columns": [], "cells": [(row, "Layer")]})


def in_order() -> list[int]:
    """All units of the demo, least important first by Taylor, layer-wise l2."""
    return l2(scored()["taylor"], demo().network.units).argsort(stable=True).tolist()


def name_of(unit: int) -> str:
    layer, channel = demo().network.units.labels[unit]
    return f"{layer}, channel {channel}"


def test_a_layer_and_a_channel_lead_from_the_saliency_page_to_the_unit(open_app: Open) -> None:
    app = open_app("saliency").set("Look at one unit of", "features.2").set("Channel", 5).fine()
    assert heading(app) is None
    scores = scored()
    app.click("Look at this unit").fine()
    assert heading(app) == "features.2, channel 5"
    assert all(app.figure(part)["data"] for part in PARTS)
    units, unit = demo().network.units, WIDTHS[0] + 5
    table = {row["Criterion"]: row for row in app.test.dataframe[-2].value.to_dict("records")}
    assert len(table) == len(scores)
    taylor = l2(scores["taylor"], units)
    assert table["Taylor"]["Value"] == f"{float(scores['taylor'][unit]):.4g}"
    assert table["Taylor"]["Rank"] == f"{float(ranks(taylor)[unit]):g} of {len(units)}"
    assert table["Taylor"]["In its layer"] == f"{float(ranks(taylor[units.slices['features.2']])[5]):g} of {WIDTHS[1]}"
    assert app.test.dataframe[-1].value["Module"].tolist() == ["features.2", "features.5"]


def test_the_dialog_measures_what_goes_with_the_unit(open_app: Open) -> None:
    app = (
        open_app("saliency")
        .set("Look at one unit of", "features.2")
        .set("Channel", 5)
        .click("Look at this unit")
        .fine()
    )
    opened = demo()
    removed = torch.arange(UNITS) == WIDTHS[0] + 5
    before, after = (evaluate(opened.network, opened.validation, plan) for plan in (~removed & removed, removed))
    assert f"Its removal would change the loss from {before.loss:.4f} to {after.loss:.4f} nats" in app.text
    assert f"accuracy from {before.accuracy:.1%} to {after.accuracy:.1%}" in app.text
    bars = [trace for trace in app.figure("unit-classes")["data"] if trace["type"] == "bar"]
    assert sum(len(trace["x"]) for trace in bars) == 10
    assert "Oracle: not known yet. It is run on the Oracle page" in app.text
    assert JOBS.find(oracle_key(opened)) is None
    parameters = opened.costs.parameters() - opened.costs.parameters(removed)
    assert f"would save {parameters} parameters" in app.text.replace(",", "")


def test_images_are_chosen_by_answer_class_and_place(open_app: Open) -> None:
    app = open_app("saliency").click("Look at this unit").fine()
    seen = scoring_job(demo(), none_removed(demo().network.units)).result.evidence.seen

    def values() -> list[float]:
        return [float(a["text"].split("<br>")[1]) for a in app.figure("unit-overlays")["layout"]["annotations"]]

    mean = seen.mean[:, 0].sort(descending=True).values.tolist()
    assert values() == pytest.approx(mean[:8], rel=5e-3)
    app.choose("Images by", "largest").fine()
    assert values() == pytest.approx(seen.largest[:, 0].sort(descending=True).values[:8].tolist(), rel=5e-3)
    app.choose("Images by", "mean").set(f"From place, of {workspace.CALIBRATION}", workspace.CALIBRATION - 3).fine()
    assert values() == pytest.approx(mean[-4:], rel=5e-3)
    app.set("Of", 3).fine()
    of_class = seen.mean[seen.labels == 3, 0].sort(descending=True).values.tolist()
    assert values() == pytest.approx(of_class[:8], rel=5e-3)


def test_a_row_of_what_goes_next_opens_its_unit_and_previous_and_next_lead_on(open_app: Open) -> None:
    app = open_app("prune").fine()
    order = in_order()
    clicked_row(app, 1)
    assert heading(app) == name_of(order[1])
    assert heading(app.click("Next").fine()) == name_of(order[2])
    assert heading(app.click("Previous").click("Previous").fine()) == name_of(order[0])
    assert heading(app.click("Previous").fine()) == name_of(order[0])
    assert heading(clicked_row(app, 4, openings=1)) == name_of(order[4])


def test_the_dialog_stays_open_until_it_is_dismissed(open_app: Open) -> None:
    app = clicked_row(open_app("prune"), 0)
    opened = heading(app.again())
    assert opened == name_of(in_order()[0])
    del app.test.session_state[f"unit-{demo().key}"]  # what dismissing it does
    assert heading(app.again().fine()) is None


def test_a_removed_unit_says_so(open_app: Open) -> None:
    app = open_app("prune").click("Remove 10").fine()
    layer, channel = demo().network.units.labels[in_order()[0]]
    app.go("saliency").set("Look at one unit of", layer).set("Channel", channel).click("Look at this unit").fine()
    assert heading(app) == f"{layer}, channel {channel}"
    assert "This unit is **removed** in this state" in app.said
    assert "Its removal changed the loss" in app.text and "Its removal saves" in app.text
    table = app.test.dataframe[-2].value
    assert set(table["Rank"]) == {f"– of {UNITS - 10}"}
    assert app.charts == 1 + len(PARTS) - 1  # no picture of ranks that it does not have


@pytest.fixture
def known(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    """The demo with few images, and its oracle."""
    monkeypatch.setattr(workspace, "CALIBRATION", 8)
    workspace.open_workspace.clear()
    write(data={"source": "demo", "seed": 7})
    opened = workspace.open_workspace(Source(seed=7))
    start_oracle(opened, 8, False)
    job = JOBS.find(oracle_key(opened))
    job.wait(60)
    yield opened
    JOBS.forget(job.key)
    workspace.open_workspace.clear()


def test_the_oracles_picture_leads_to_the_unit_and_its_effect(open_app: Open, known: Workspace) -> None:
    app = open_app("oracle", run=RUN).fine()
    found, unit = oracle(known), 70
    hover = [t["text"] for t in app.figure("effects-0")["data"] if t.get("customdata") is not None]
    assert any(name_of(unit) in text for texts in hover for text in texts)
    select(app, "effects-0", {"points": [{"customdata": unit}], "point_indices": [], "box": [], "lasso": []})
    assert heading(app) == name_of(unit)
    loss, error = float(found.oracle_loss[unit]), float(found.standard_error[unit])
    assert f"changes its loss by **{loss:+.3g}**".replace("-", "−") in app.text
    assert f"± {error:.2g} nats on 8 calibration images" in app.text
    first = app.test.dataframe[-2].value.iloc[0]
    assert first["Criterion"] == "Oracle-abs"
    assert first["Rank"] == f"{float(ranks(found.oracle_abs)[unit]):g} of {len(found.units)}"


def test_what_takes_long_is_measured_only_when_asked(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unit_worth, "EAGER", 0)
    app = (
        open_app("saliency")
        .set("Look at one unit of", "features.12")
        .set("Channel", 7)
        .click("Look at this unit")
        .fine()
    )
    assert "is not known yet: it takes a pass over the validation images" in app.text
    plan = torch.arange(UNITS) == demo().network.units.labels.index(("features.12", 7))
    assert find_measuring_job(demo(), plan) is None
    app.click(f"Measure it on {workspace.VALIDATION} validation images").fine()
    assert "Its removal would change the loss" in app.text
    assert find_measuring_job(demo(), plan).result is not None
    assert "Its removal would change the loss" in app.again().fine().text


def test_a_measurement_that_nobody_waits_for_is_stopped(open_app: Open) -> None:
    opened, plan = demo(), torch.arange(UNITS) == 3
    view = SimpleNamespace(workspace=opened, removed=none_removed(opened.network.units))
    assert find_measuring_job(opened, plan) is None

    def held(job: Any) -> None:
        while True:
            job.report(1, 4)
            job._stop.wait(0.01)

    job = JOBS.submit(f"measure-{opened.key}-{plan_digest(plan)}", "Measuring", held)
    assert find_measuring_job(opened, plan) is job
    unit_worth.stop_measuring(view, 3)
    assert job.state == "cancelled" and find_measuring_job(opened, plan) is None


def pictures(folder: Path, clips: bool) -> Path:
    """Three classes of 12 noise images, or clips of 8 frames, of 8 x 8 grey pixels."""
    random = np.random.default_rng(0)
    for label in range(3):
        for i in range(12):
            place = folder / str(label) / f"{i}"
            place.parent.mkdir(parents=True, exist_ok=True)
            if clips:
                place.mkdir()
            for frame in range(8 if clips else 1):
                path = place / f"{frame}.png" if clips else place.with_suffix(".png")
                Image.fromarray(random.integers(0, 256, (8, 8), np.uint8)).save(path)
    return folder


def opened_on(name: str, folder: Path) -> Workspace:
    """A workspace of one of the networks at hand."""
    network, clips = at_hand(name), name == "clip"
    prepared = replace(network.preprocessing, frames=8 if clips else None)
    network = replace(network, preprocessing=prepared, digest=f"dialog of {name}")
    images = open_images(str(pictures(folder / "pictures", clips)), clips=clips)
    calibration, validation = (Batches(images, split, prepared) for split in ("calibration", "validation"))
    return Workspace(Source(), network, measure_costs(network), WorkImages(images, calibration, validation))


def dialog(view, unit, order):  # type: ignore[no-untyped-def]  # runs as a script of its own
    from explorer.ui.unit.dialog import unit_in_detail

    unit_in_detail(view, unit, order)


@pytest.mark.parametrize("name", [*MODULES, *UNUSUAL])
def test_units_of_every_kind_of_network_are_shown(name: str, tmp_path: Path) -> None:
    opened = opened_on(name, tmp_path)
    units = opened.network.units
    removed = torch.zeros(len(units), dtype=torch.bool)
    removed[units.slices[units.layers[0].name].start + 1] = True
    order = UnitRanking(torch.arange(len(units)).double(), "their place", "l2")
    for layer in units.layers:
        unit = units.slices[layer.name].start
        view = View(opened, opened, timelines.start(Metrics(1.0, 0.5, 4, len(units), 1, 1)), removed, "r")
        app = App(AppTest.from_function(dialog, default_timeout=60, args=(view, unit, order)).run()).fine()
        assert heading(app) == f"{layer.name}, channel {layer.channels[0]}"
        assert all(app.figure(part)["data"] for part in PARTS)
        kernels = len(layer.writers) * layer.written(layer.name).shape[1]
        choice = next((box for box in app.test.selectbox if "kernels" in box.label), None)
        assert (len(choice.options) if choice else 1) == kernels
        if choice:
            choice.select_index(kernels - 1).run()
            assert layer.writers[-1] in app.fine().text
        assert ("Clips: means over time" in app.text) == (name == "clip")
        modules = app.test.dataframe[-1].value["Module"].tolist()
        assert set(modules) == {coupling.module for coupling in layer.couplings}
