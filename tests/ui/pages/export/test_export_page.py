"""The Export page: files of any state, proven by a job that can be cancelled, and offered only where they hold."""

from __future__ import annotations

import os
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
import torch
from driving import App
from exported import without_last_channels
from of_demo import UNITS, WIDTHS

from explorer.export import formats, load_pruned, proof
from explorer.export.formats import FORMATS
from explorer.export.staging import staging
from explorer.runs.opening import place
from explorer.ui.pages.export.exported import zipped
from explorer.ui.pages.export.exports import STATES_KEPT, ExportedState, PinnedExport, tidy
from explorer.ui.work import results, workspace
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.workspace import Source

Open = Callable[..., App]


def made(app: App, state: int) -> ExportedState:
    """Press the button, and wait for the files."""
    app.click("Make and prove")
    job = JOBS.find(f"export-{app.run}-{state}")
    job.wait(60)
    app.again()
    return job.result


def offered(app: App) -> list[str]:
    return [button.label.split(" (")[0].removeprefix("Download ") for button in app.test.get("download_button")]


def tick(app: App, name: str, on: bool) -> None:
    next(each for each in app.test.checkbox if each.key == f"format-{name}").set_value(on).run()


def test_a_network_that_can_not_be_exported_is_told_before_anything_is_pressed(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "mine has no graph: line 3 of nets.py decides."
    monkeypatch.setattr(results, "why_no_graph", lambda module, name: said)
    results.why_no_export.clear()
    app = open_app("export").fine()
    assert [each.value for each in app.test.info] == [said] and "Make and prove" not in app.buttons
    app.go("network").fine()
    assert any(said in each.proto.body for each in app.test.get("html"))
    results.why_no_export.clear()


def test_the_files_of_a_state_are_proven_on_the_images_of_the_page(open_app: Open) -> None:
    app = open_app("prune").click("Remove 10").go("export").fine()
    assert "The file" in app.text and not offered(app)
    found = made(app, 1)
    assert "100.0% of the predictions agree" in app.fine().test.success[0].value
    assert f"on {workspace.VALIDATION} validation images" in app.said
    assert offered(app) == ["demo-state-1.zip", "network.safetensors", "plan.json", "report.html", "manifest.json"]
    (verdict,) = found.verdicts
    assert f"{verdict.accuracy:.1%}" == app.facts["Accuracy"]  # the same images as the state bar's
    loaded = load_pruned(found.offered[FORMATS["safetensors"]])
    assert sum(layer.width_after for layer in loaded.manifest.layers) == UNITS - 10
    with zipfile.ZipFile(BytesIO(zipped("it", list(found.offered.values())))) as archive:
        assert archive.namelist() == ["it/network.safetensors", "it/plan.json", "it/report.html"]
        assert archive.read("it/plan.json") == found.files[FORMATS["plan"]].read_bytes()
    assert f"keeps the files of the {STATES_KEPT} states" in app.text
    found.files[FORMATS["plan"]].unlink()
    app.again().fine()
    assert "have been deleted since: make them again" in app.said and not offered(app)
    assert app.buttons["Make and prove"]


def test_the_network_as_loaded_is_a_state_as_well(open_app: Open, workdir: Path) -> None:
    app = open_app("prune").click("Remove 10").go("export").set("State", 0)
    assert (
        len(place(str(workdir / "runs" / app.run)).network().units) == UNITS - 10
    )  # as the command line opens the run
    tick(app, "report", False)
    found = made(app, 0)
    module = load_pruned(found.files[FORMATS["safetensors"]])
    whole = workspace.open_workspace(Source()).network
    x = torch.randn(2, *whole.input_shape)
    assert torch.allclose(module(x), whole.module(x), atol=1e-5)


def test_a_network_that_had_lost_its_last_channels_is_exported_with_the_widths_before(open_app: Open) -> None:
    app = (
        open_app()
        .click("Open another network")
        .upload("half.safetensors", without_last_channels())
        .images()
        .click("Open")
    )
    app.go("export").fine()
    tick(app, "report", False)
    layers = load_pruned(made(app, 0).files[FORMATS["safetensors"]]).manifest.layers
    assert [layer.width_before for layer in layers] == WIDTHS
    assert [layer.width_after for layer in layers] == [width - 1 for width in WIDTHS]


def test_a_file_that_fails_its_proof_is_not_offered_and_says_why(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_app("export")
    tick(app, "report", False)
    monkeypatch.setattr(
        "explorer.export.states._proof",
        lambda *given: replace(honest(*given), logits=torch.ones(workspace.VALIDATION, 10)),
    )
    found = made(app, 0)
    assert "network.safetensors failed its proof and is not offered: its logits differ by up to" in app.said
    assert list(found.offered) == [FORMATS["plan"]] and "network.safetensors" not in offered(app)


def honest(*given: object) -> proof.Proof:
    loaded = workspace.open_workspace(Source())
    x, y = (torch.cat(part) for part in zip(*loaded.validation, strict=True))
    return proof.Proof(x, y, loaded.network.module(x), torch.zeros(1), torch.ones(1))


def test_a_format_without_its_package_says_so_and_can_not_be_chosen(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "find_spec", lambda name: None if name == "onnx" else True)
    app = open_app("export").fine()
    assert "The format onnx needs the package onnx, which is not installed" in app.text
    assert {box.key for box in app.test.checkbox if box.disabled} == {"format-onnx", "format-onnx-pixels"}


def test_a_cancelled_export_leaves_nothing(open_app: Open, workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = open_app("export")

    def cancelled(*given: object) -> proof.Proof:
        JOBS.find(f"export-{app.run}-0").cancel()
        return honest()

    monkeypatch.setattr("explorer.export.states._proof", cancelled)
    assert made(app, 0) is None
    assert "cancelled" in app.said and app.buttons["Make and prove"]
    assert not [path for path in (workdir / "exports").rglob("*") if path.is_file()]


def put(folder: Path, age: float) -> Path:
    """The files of an export that is so many seconds old."""
    folder.mkdir(parents=True)
    (folder / "network.safetensors").write_bytes(b"it")
    os.utime(folder, (time.time() - age,) * 2)
    return folder


def left(workdir: Path) -> list[str]:
    return sorted(f"{path.parent.name} {path.name}" for path in (workdir / "exports").glob("*/*"))


def test_of_each_run_the_states_exported_last_stay_and_of_a_run_that_is_gone_none(workdir: Path) -> None:
    place = workdir / "exports"
    for run in ("mine", "other", "gone"):
        for state in range(6):
            put(place / run / f"state-{state}", age=state if run == "mine" else 10 - state)
    (workdir / "runs" / "other").mkdir(parents=True)
    tidy(place / "mine" / "state-5")
    assert STATES_KEPT == 4
    kept = [*(f"mine state-{n}" for n in (0, 1, 2, 5)), *(f"other state-{n}" for n in (2, 3, 4, 5))]
    assert left(workdir) == kept and not (place / "gone").exists()


def test_what_a_tab_shows_and_what_somebody_writes_is_not_deleted(workdir: Path) -> None:
    shown, written, idle = (put(workdir / "exports" / "gone" / f"state-{n}", 9) for n in range(3))
    tab = PinnedExport(shown)
    with staging(written):
        tidy(workdir / "exports" / "mine" / "state-0")
        assert shown.exists() and written.exists() and not idle.exists()
    del tab
    tidy(workdir / "exports" / "mine" / "state-0")
    assert not left(workdir)


def test_the_speed_of_a_state_is_measured_beside_the_network_as_loaded(open_app: Open) -> None:
    app = open_app("prune").click("Remove 10").go("export").set("Images at once", [1])
    assert JOBS.find(f"speed-{app.run}-1") is None, "nobody has asked for it yet"
    app.click("Measure the speed")
    job = JOBS.find(f"speed-{app.run}-1")
    job.wait(60)
    app.again().fine()
    assert JOBS.find(f"speed-{app.run}-1") is job
    (timing,) = job.result.timings
    assert app.charts == 2 and timing.full.batch == 1 and timing.full.device == "cpu"
    assert f"By FLOPs alone it would be {job.result.theoretical:.2f}×." in app.text
    assert job.result.pruned.parameters < job.result.full.parameters
    assert app.buttons["Measure the speed"]
