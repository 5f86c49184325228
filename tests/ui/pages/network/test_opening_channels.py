"""Opening a network of one's own code, and networks of any number of channels: what is filled in, said and drawn."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import torch
from driving import App
from own_code import importable
from samples_at_hand import checkpoint
from torch import nn

from explorer.networks.architectures import families
from explorer.runs.store import Run
from explorer.ui.work import workspace

Open = Callable[..., App]
Saved = Callable[[str], Run]
FACTORY = """
from torch import nn

def make(num_classes=2, in_channels=4):
    return nn.Sequential(nn.Conv2d(in_channels, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 5, 3), nn.ReLU(),
                         nn.Flatten(), nn.Linear(5 * 18 * 18, num_classes))
"""
ASKED = "The network reads images of 4 channels, and how they are normalised can't be known: give mean and std."
DRAWN = "Each image is drawn in grey: the mean over 4 channels"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a factory of one's own, which may be named by everybody."""
    monkeypatch.setattr(families, "_FACTORIES", Event())
    families.allow_factories()
    with importable(tmp_path, "mine_of_four", FACTORY):
        yield "mine_of_four:make"


@pytest.fixture
def four(tmp_path: Path) -> Path:
    """Images of four channels and two classes, 20x20 pixels, a file each."""
    random = np.random.default_rng(0)
    for number in range(40):
        path = tmp_path / "four" / "ab"[number % 2] / f"{number}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, random.integers(0, 30_000 * (1 + number % 2), (20, 20, 4), dtype=np.uint16))
    return tmp_path / "four"


def weights() -> bytes:
    """A state dict of what the factory makes."""
    layers = {0: nn.Conv2d(4, 6, 3), 2: nn.Conv2d(6, 5, 3), 5: nn.Linear(5 * 18 * 18, 2)}
    state = {f"{place}.{name}": value for place, layer in layers.items() for name, value in layer.state_dict().items()}
    stream = io.BytesIO()
    torch.save(state, stream)
    return stream.getvalue()


def test_ones_own_network_takes_the_size_and_channels_of_its_images(
    open_app: Open, own: str, four: Path, saved: Saved
) -> None:
    app = open_app().click("Open another network").set("Or your own code", f" {own} ").upload("mine.pt", weights())
    app.images(four).fine()
    assert ASKED in app.said and not app.buttons["Open"]
    app.set("Mean", "0,0,0,0").set("Std", "1,1,1,1").fine()
    assert f"Size: 20 pixels, as the images have, since {own} says none." in app.text
    assert "Input 4×20×20" in app.understood
    assert "40 images: 4 channels of uint16, read as value / 65535." in app.understood and DRAWN in app.understood
    app.click("Open").fine()
    network = saved(app.run).network
    assert (network["arch"], network["crop"]) == (own, 20)
    assert DRAWN in app.text
    workspace.open_workspace.clear()  # as after a restart
    assert "mine.pt" in open_app(run=app.run).fine().bar


def test_ones_own_code_is_a_closed_field_where_it_is_not_allowed(open_app: Open) -> None:
    app = open_app().click("Open another network")
    (field,) = (field for field in app.test.text_input if field.label == "Or your own code")
    assert field.disabled and "--allow-factories" in field.help


def test_images_of_other_channels_than_the_network_reads_are_told_beside_their_fields(
    open_app: Open, four: Path
) -> None:
    app = open_app().click("Open another network").upload("six.pt", checkpoint(in_channels=6)).images(four)
    app.set("Mean", "0,0,0,0,0,0").set("Std", "1,1,1,1,1,1").fine()
    assert "it has 4 channels, but the network reads 6: give images of 6, or a network whose first" in app.said
    app.set("Mean", "0,0").set("Std", "1,1").fine()
    assert "mean and std have 2 values, but the first layer of the network reads 6 channels" in app.said
    assert not app.buttons["Open"]
