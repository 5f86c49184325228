"""A person's checkpoint and a zip of their images: from the first click to the picture of their network's saliency.

The seconds of each part are kept as properties of the test's report.
"""

from __future__ import annotations

import io
import re
import time
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

pytest.importorskip("playwright")

import torch
from acting import PICTURE, SECONDS, run_of, settle, turn, visit
from pictures import png_bytes
from playwright.sync_api import Browser, Locator, Page, expect
from samples_at_hand import SMALL, SMALL_UNITS, checkpoint
from test_looks import MOST_SHIFT, SHIFTS, layout_shift

SLOW = 3 * SECONDS  # a first opening of torchvision's, on a machine that others keep busy

CASES = {
    "ResNet-20": ("cifar10/resnet20-12fca82f.th", "cifar10/test_jpeg", 10, "explorer:resnet20", 10),
    "SqueezeNet": ("leaf/squeezenet1_0_leaf.pth", "leaf/test", 8, "torchvision:squeezenet1_0", 4),
    "MobileNetV2": ("", "flowers5", 6, "torchvision:mobilenet_v2", 5),
}
"""Name -> checkpoint (one is made where there is none), folder of images, images a class, architecture, classes."""


def packed(folder: Path, most: int) -> bytes:
    """A zip of a folder with one sub-folder a class, with so many images of each."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for label in sorted(path for path in folder.iterdir() if path.is_dir()):
            for path in sorted(label.iterdir())[:most]:
                archive.write(path, f"{folder.name}/{label.name}/{path.name}")
    return stream.getvalue()


def mobilenet(path: Path, classes: int) -> Path:
    """A checkpoint of MobileNetV2 as torchvision's tutorial writes it."""
    from torchvision.models import mobilenet_v2

    torch.save({"model_state_dict": mobilenet_v2(num_classes=classes).state_dict(), "epoch": 3}, path)
    return path


def opened(tab: Page) -> Locator:
    """The dialog, open."""
    tab.get_by_role("button", name="Open another network").click()
    dialog = tab.get_by_role("dialog")
    dialog.locator("input[type=file]").nth(1).wait_for(state="attached")
    return dialog


def button(dialog: Locator) -> Locator:
    return dialog.get_by_role("button", name="Open", exact=True).last


@pytest.mark.parametrize("name", CASES)
def test_from_the_first_click_to_the_saliency_picture(
    tab: Page, shared_data: Path, tmp_path: Path, name: str, record_property: Callable[[str, object], None]
) -> None:
    file, folder, most, arch, classes = CASES[name]
    path = shared_data / file if file else mobilenet(tmp_path / "mobilenet.pth", classes)
    images = tmp_path / "images.zip"
    images.write_bytes(packed(shared_data / folder, most))
    tab.set_default_timeout(SLOW)
    visit(tab, "network")
    begun = time.perf_counter()

    def part(what: str) -> None:
        nonlocal begun
        record_property(what, round(time.perf_counter() - begun, 1))
        begun = time.perf_counter()

    dialog = opened(tab)
    dialog.locator("input[type=file]").first.set_input_files(path)
    dialog.get_by_text(arch, exact=True).wait_for()
    part("upload and recognise")
    dialog.get_by_text(re.compile(r"^[\d,]+ units in \d+ layers$")).wait_for()
    part("build and check the network")
    dialog.locator("input[type=file]").nth(1).set_input_files(images)
    dialog.get_by_text(f"{classes * most} images of {classes} classes").wait_for()
    expect(dialog.locator(".stills img")).to_have_count(6)
    part("upload and understand the images")
    expect(button(dialog)).to_be_enabled(timeout=SLOW)
    button(dialog).click()
    dialog.wait_for(state="hidden")
    settle(tab)
    tab.locator(".state-bar").get_by_text(path.name).wait_for()
    tab.get_by_role("heading", name="Single predictions").wait_for()
    part("open and measure")
    turn(tab, "saliency")
    tab.locator(PICTURE).first.wait_for()
    part("score and draw")


@pytest.fixture
def small(tmp_path: Path) -> tuple[Path, Path]:
    """A small checkpoint, and a folder of images for it."""
    (tmp_path / "mine.pt").write_bytes(checkpoint())
    for label in ("bright", "dark"):
        (tmp_path / "photos" / "test" / label).mkdir(parents=True)
        for number in range(10):
            content = png_bytes(number, 28, 28)
            (tmp_path / "photos" / "test" / label / f"{number}.png").write_bytes(content)
    return tmp_path / "mine.pt", tmp_path / "photos" / "test"


def test_a_folder_is_uploaded_with_its_folders_and_nothing_jumps(tab: Page, small: tuple[Path, Path]) -> None:
    path, folder = small
    tab.add_init_script(SHIFTS)
    visit(tab, "network")
    dialog = opened(tab)
    settle(tab)
    tab.evaluate("window.shifts = []")
    dialog.locator("input[type=file]").first.set_input_files(path)
    dialog.get_by_text(f"{SMALL_UNITS} units in 6 layers").wait_for()
    dialog.get_by_role("radio", name="A folder").click()
    chooser = dialog.locator("input[webkitdirectory]")
    chooser.wait_for(state="attached")
    chooser.set_input_files(folder)
    dialog.get_by_text("test: 20 images of 2 classes").wait_for()
    assert dialog.get_by_text("dealt by class, seed 0").count() == 1
    assert layout_shift(tab) <= MOST_SHIFT
    assert SMALL in dialog.locator(".facts").inner_text()
    expect(button(dialog)).to_be_enabled(timeout=SECONDS)
    button(dialog).click()
    dialog.wait_for(state="hidden")
    settle(tab)
    run = run_of(tab)
    visit(tab, "network", run)
    tab.locator(".state-bar").get_by_text("mine.pt").wait_for()


NAME, TOKEN = "explorer.localhost", "a-token-of-the-tests"  # browsers find names below localhost on this computer


def test_uploads_work_under_another_name(
    serve: Callable[..., AbstractContextManager[str]], browser: Browser, small: tuple[Path, Path], tmp_path: Path
) -> None:
    work = tmp_path / "work"
    work.mkdir()
    with serve(work, "--allow-host", NAME, "--token", TOKEN) as address, browser.new_context() as context:
        tab = context.new_page()
        tab.set_default_timeout(SECONDS)
        tab.goto(f"{address.replace('localhost', NAME)}/?token={TOKEN}")
        settle(tab)
        dialog = opened(tab)
        dialog.locator("input[type=file]").first.set_input_files(small[0])
        dialog.get_by_text(f"{SMALL_UNITS} units in 6 layers").wait_for()
        dialog.get_by_role("radio", name="By path or name").click()
        expect(dialog.get_by_role("textbox", name="Name", exact=True)).to_have_value("demo", timeout=SECONDS)
