"""Opening one's own network: what images go through, what is skipped, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
from driving import App
from networks_at_hand import at_hand
from pictures import zipped
from samples_at_hand import SMALL, SMALL_UNITS, checkpoint, folder_of_shades

from explorer.data import SOURCES, asset
from explorer.networks.graph.safetensors_file import ENTRY, to_bytes
from explorer.networks.load import RUN_NETWORK
from explorer.runs.origins import source_from_json
from explorer.runs.store import Run
from explorer.ui.work import visitors, workspace
from explorer.ui.work.workspace import keep_upload

RUN = "a-run-of-the-tests"
Open = Callable[..., App]
Saved = Callable[[str], Run]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Images of two classes, 28x28 pixels."""
    return folder_of_shades(tmp_path / "shades")


def dialog(open_app: Open, name: str, content: bytes, images: object = "demo") -> App:
    return open_app().click("Open another network").upload(name, content).images(images)


def test_the_usual_preprocessing_is_shown_and_used(open_app: Open, folder: Path, saved: Saved) -> None:
    app = dialog(open_app, "mine.pt", checkpoint(), folder).fine()
    assert (
        "Preprocessing no resize, no crop, grey, mean 0.1307, std 0.3081 (as usual for explorer:vgg_small)."
        in app.understood
    )
    app.click("Open").fine()
    assert "mine.pt" in app.bar and not app.test.file_uploader
    assert saved(app.run).network.keys() == {"source", "name", "arch"}


def test_an_export_says_its_preprocessing_itself(open_app: Open) -> None:
    app = dialog(open_app, "mine.safetensors", asset(RUN_NETWORK).read_bytes()).fine()
    assert "mean 0.132, std 0.3092 (as its manifest says)" in app.understood


def test_what_is_changed_is_used_and_kept(open_app: Open, folder: Path, saved: Saved) -> None:
    app = dialog(open_app, "mine.pt", checkpoint(), folder)
    app.set("Size, pixels", 32).set("Crop, pixels", 28).set("Mean", "0.5").set("Std", " 0.25").click("Open").fine()
    told = {"size": 32, "crop": 28, "mean": [0.5], "std": [0.25]}
    assert {name: saved(app.run).network[name] for name in told} == told
    workspace.open_workspace.clear()  # as after a restart
    again = open_app(run=app.run).fine()
    assert again.facts == app.facts and "mine.pt" in again.bar
    opened = workspace.open_workspace(source_from_json(saved(app.run).network, saved(app.run).data))
    assert opened.network.preprocessing.describe() == ("resize 32 (bilinear), centre crop 28, grey, mean 0.5, std 0.25")
    app.go("prune").click("Remove 1").fine()
    assert {name: saved(app.run).network[name] for name in told} == told


def test_what_can_not_be_known_is_asked_for(open_app: Open, tmp_path: Path) -> None:
    x = np.random.default_rng(0).integers(0, 256, (40, 28, 28, 3)).astype(np.uint8)
    np.savez(tmp_path / "rgb.npz", x=x, y=np.arange(40) % 2)
    app = dialog(open_app, "rgb.pt", checkpoint(in_channels=3), tmp_path / "rgb.npz").fine()
    asked = "The network reads images of 3 channels, and how they are normalised can't be known: give mean and std."
    assert asked in app.understood and asked in app.said and not app.buttons["Open"]
    app.set("Mean", "0.5,0.5,0.5").set("Std", "0.2,0.2,0.2").click("Open").fine()
    assert "rgb.pt" in app.bar


def test_all_kinds_of_images_are_named(open_app: Open) -> None:
    app = open_app().click("Open another network").images().fine()
    (field,) = (f for f in app.test.text_input if f.label == "Name, folder or file")
    assert all(kind in field.help for kind in SOURCES) and "CLASS/CLIP/FRAME" in field.help


def test_skipped_images_are_told(open_app: Open, tmp_path: Path) -> None:
    folder = folder_of_shades(tmp_path / "shades", broken=5)
    app = dialog(open_app, "mine.pt", checkpoint(), folder)
    assert "5 of 45 images left out: it is no JPEG, " in app.understood
    app.click("Open").fine()
    assert "5 of 45 images left out: it is no JPEG, " in app.said
    assert f"{folder / 'bright' / 'broken0.png'}, " in app.said and "and 2 more" in app.said
    assert "5 of 45 images left out" in open_app(run=app.run).said


BAD: dict[str, tuple[dict[str, object], str]] = {
    "no number": ({"Mean": "half"}, "'half' is not a list of numbers such as 0.485,0.456,0.406."),
    "too many numbers": ({"Mean": "0.5,0.5"}, "mean has 2 values and std 1"),
    "a crop that does not fit": ({"Crop, pixels": 30}, "smaller than the crop of 30"),
    "no such images": ({"Name, folder or file": "/nowhere"}, "data '/nowhere' does not exist, or is of no known kind"),
    "other classes": ({"Name, folder or file": "demo"}, "mine.pt has 2 outputs, but demo has 10 classes"),
    "another architecture": ({"Architecture": "explorer:resnet20"}, "mine.pt does not fit explorer:resnet20: missing"),
    "an unknown architecture": ({"Architecture": "explorer:none"}, "The architecture 'explorer:none' is unknown"),
    "one's own code": ({"Architecture": "os:system"}, "is your own code"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_sentence_and_what_was_open_stays(open_app: Open, folder: Path, name: str) -> None:
    fields, words = BAD[name]
    app = dialog(open_app, "mine.pt", checkpoint(), folder)
    before = app.run, app.facts
    for label, value in fields.items():
        (app.type if label == "Architecture" else app.set)(label, value)
    assert not app.test.exception and not app.buttons["Open"]
    assert words in app.said and app.said.count("\n") == 0
    assert (app.run, app.facts) == before and app.test.file_uploader
    assert open_app(run=app.run).fine().facts == before[1]


@pytest.mark.parametrize("name", ["mine.pt", "mine.safetensors"])
def test_a_file_that_is_none_is_told_at_once_and_not_kept(open_app: Open, workdir: Path, name: str) -> None:
    app = dialog(open_app, name, b"hello, this is no network")
    assert not app.test.exception and app.said.startswith(f"{name} ") and not app.buttons["Open"]
    assert not (workdir / "uploads").exists()


def test_an_old_run_without_changes_still_opens(open_app: Open, write: Callable[..., Path], folder: Path) -> None:
    digest = keep_upload(checkpoint())
    write(network={"source": digest, "name": "old.pt", "arch": SMALL}, data={"source": str(folder), "seed": 0})
    assert "old.pt" in open_app(run=RUN).fine().bar


@pytest.mark.parametrize("changed", [{"size": "x"}, {"mean": 0.5}, {"std": ["a"]}, {"crop": float("inf")}])
def test_damaged_changes_are_refused(open_app: Open, write: Callable[..., Path], changed: dict[str, object]) -> None:
    write(network={"source": "demo", "name": "demo", "arch": None, **changed})
    app = open_app(run=RUN)
    assert "does not say which network" in app.said and not app.test.exception


def test_the_dialog_closes_and_opens_with_fresh_fields(open_app: Open) -> None:
    app = open_app().click("Open another network").images("/nowhere")
    assert not app.click("Open the demo anew").test.exception
    assert not any(field.value for field in app.click("Open another network").test.text_input)
    (field,) = (f for f in app.images().test.text_input if f.label == "Name, folder or file")
    assert field.value == "demo"


CODE = "torch.os.system('touch PWNED')"


def export_with_code() -> bytes:
    """An export whose ReLUs have code for `inplace`."""
    data = to_bytes(at_hand("plain"), metrics={}, provenance={})
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    text = header["__metadata__"][ENTRY].replace('"inplace":true', f'"inplace":{json.dumps(CODE)}')
    assert text.count(CODE) >= 2
    return safetensors.torch.save(safetensors.torch.load(data), metadata={ENTRY: text})


def test_an_export_with_code_in_it_is_refused_at_once_and_not_kept(
    open_app: Open, workdir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = dialog(open_app, "evil.safetensors", export_with_code())
    assert not app.test.exception and "must be true or false, not" in app.said and app.said.count("\n") == 0
    assert not app.buttons["Open"]
    assert app.test.file_uploader and not (workdir / "uploads").exists()
    assert not list(tmp_path.rglob("PWNED"))


def test_a_zip_is_shown_before_it_is_opened_and_used(open_app: Open, folder: Path, workdir: Path, saved: Saved) -> None:
    files = {f"shades/{path.relative_to(folder)}": path.read_bytes() for path in sorted(folder.rglob("*.png"))}
    app = open_app().click("Open another network").upload("mine.pt", checkpoint())
    assert not app.buttons["Open"] and "Images: none yet" in app.understood
    app.upload("shades.zip", zipped(files).getvalue(), label="Zip").fine()
    assert "shades: 40 images of 2 classes" in app.understood and "bright 20 dark 20" in app.understood
    assert "finetune 16 calibration 8 validation 8 test 8 dealt by class, seed 0" in app.understood
    assert "Outputs 2 " in app.understood and f"Prunable {SMALL_UNITS} units in 6 layers" in app.understood
    app.click("Open").fine()
    assert saved(app.run).data["source"].startswith("upload:") and "mine.pt" in app.bar
    assert [path.name for path in (workdir / "uploads" / "images").glob("*/*")] == ["shades"]
    workspace.open_workspace.clear()  # as after a restart
    assert open_app(run=app.run).fine().facts == app.facts


def test_a_bad_zip_is_told_beside_the_field_and_not_kept(open_app: Open, workdir: Path) -> None:
    app = open_app().click("Open another network").upload("mine.pt", checkpoint())
    app.upload("evil.zip", zipped({"../evil.png": b""}).getvalue(), label="Zip")
    assert "evil.zip has '../evil.png' in it, which leads out of the folder: nothing was unpacked; pack" in app.said
    assert not app.buttons["Open"] and not app.test.exception
    assert not list(workdir.rglob("*.png"))


def test_where_no_paths_are_allowed_none_is_opened(
    open_app: Open, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visitors, "_closed", [True])
    app = open_app().click("Open another network").upload("mine.pt", checkpoint())
    app.choose("Images", "name").set("Name", str(folder))
    assert "This server opens no folders or files by their path" in app.said and not app.buttons["Open"]
    assert str(folder.name) not in app.understood
    assert "mine.pt has 2 outputs, but demo has 10 classes" in app.set("Name", "demo").said
    assert "opens no folders" in open_app("paper").set("Folder of a study", str(folder)).said
