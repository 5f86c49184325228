"""The Draw page on networks that take other inputs than the demo: colours, large photographs, many channels."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import torch
from driving import App
from own_code import importable
from PIL import Image
from torch import nn

from explorer.networks.architectures import families

Open = Callable[..., App]
FACTORY = """
from torch import nn

def make(num_classes=2, in_channels=3):
    return nn.Sequential(nn.Conv2d(in_channels, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 5, 3), nn.ReLU(),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, num_classes))
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a factory of one's own, which may be named by everybody."""
    monkeypatch.setattr(families, "_FACTORIES", Event())
    families.allow_factories()
    with importable(tmp_path, "mine_to_draw", FACTORY):
        yield "mine_to_draw:make"


def opened(open_app: Open, own: str, folder: Path, side: int, channels: int) -> App:
    """The Draw page on a network of one's own, with images of so many pixels and channels, a file each."""
    random = np.random.default_rng(0)
    for number in range(40):
        path = folder / "images" / "ab"[number % 2] / f"{number}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, random.integers(0, 256, (side, side, channels), dtype=np.uint8))
    layers = {0: nn.Conv2d(channels, 6, 3), 2: nn.Conv2d(6, 5, 3), 6: nn.Linear(5, 2)}
    state = {f"{place}.{name}": value for place, layer in layers.items() for name, value in layer.state_dict().items()}
    stream = BytesIO()
    torch.save(state, stream)
    app = open_app().click("Open another network").set("Or your own code", own).upload("mine.pt", stream.getvalue())
    app.images(folder / "images")
    app.set("Mean", ",".join(channels * "0")).set("Std", ",".join(channels * "1")).fine()
    return app.click("Open").fine().go("draw").fine()


def ways(app: App) -> list[str]:
    (choice,) = (each for each in app.test.button_group if each.label == "Picture")
    return list(choice.options)


def test_colours_are_drawn_with_pens_of_several(open_app: Open, own: str, tmp_path: Path) -> None:
    app = opened(open_app, own, tmp_path, 32, 3)
    sheet = next(part.proto for part in app.test.get("bidi_component") if "canvas" in part.proto.component_name)
    data = json.loads(sheet.json)
    assert (data["width"], data["height"], data["grain"]) == (256, 256, 8)
    assert [name for name, _ in data["inks"]] == ["Black", "Blue", "Green", "Red", "Yellow", "Eraser"]
    assert "each measured with its gate closed" in app.text  # of the image that is on it at first


def test_photographs_are_taken_by_camera_or_file_and_the_reason_is_said(
    open_app: Open, own: str, tmp_path: Path
) -> None:
    app = opened(open_app, own, tmp_path, 72, 3)
    assert ways(app) == ["Camera", "File"] and "72×72 pixels, photographs rather than drawings" in app.text
    stream = BytesIO()
    Image.new("RGB", (300, 200), (10, 200, 30)).save(stream, "JPEG")
    app.choose("Picture", "file").upload("green.jpg", stream.getvalue(), "Picture").fine()
    assert any("300×200 pixels, scaled to 72×72" in html.proto.body for html in app.test.get("html"))


def test_of_many_channels_a_file_is_taken(open_app: Open, own: str, tmp_path: Path) -> None:
    app = opened(open_app, own, tmp_path, 16, 5)
    assert ways(app) == ["File"] and "reads 5 channels, which no pen draws" in app.text
    app.upload("one.npy", (tmp_path / "images" / "a" / "0.npy").read_bytes(), "Picture").fine()
    assert "each measured with its gate closed" in app.text
