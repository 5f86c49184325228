"""What images go through before a network that comes as bytes, and what a person changes."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import torch

from explorer import open_network
from explorer.core.errors import BadInput
from explorer.data import (
    IMAGENET_MEAN,
    UNCHANGED,
    Changes,
    ImageSet,
    Labelled,
    Preprocessing,
    asset,
    changes_from_json,
    image_set,
)
from explorer.networks.architectures.families import build
from explorer.networks.load import RUN_NETWORK, demo_file, network_file
from explorer.networks.network import Network
from explorer.networks.preparation import sized, usual_preparation

GREY = Preprocessing((0.1307,), (0.3081,))


def saved(arch: str, **options: int) -> bytes:
    stream = io.BytesIO()
    torch.save(build(arch, 10, **options).state_dict(), stream)
    return stream.getvalue()


def opened(data: bytes, name: str, changes: Changes) -> Network:
    file = network_file(data, name)
    return file.network(file.preparation.with_changes(changes))


@pytest.fixture(scope="module")
def rgb() -> bytes:
    """Weights of an architecture that usually takes grey images, for RGB."""
    return saved("explorer:vgg_small", in_channels=3)


def test_an_export_says_it_itself() -> None:
    found = network_file(asset(RUN_NETWORK).read_bytes(), "mine.safetensors").preparation
    assert found.preprocessing == open_network("demo").preprocessing
    assert found.describe().endswith("(as its manifest says).")


def test_a_checkpoint_gets_what_is_usual_for_its_architecture() -> None:
    found = network_file(saved("explorer:resnet20"), "mine.pt").preparation
    assert (found.preprocessing.mean, found.channels) == (IMAGENET_MEAN, None)
    assert found.describe().startswith("no resize, no crop, RGB, mean 0.485")
    assert found.describe().endswith("(as usual for explorer:resnet20).")


def test_other_channels_than_usual_are_asked_for(rgb: bytes) -> None:
    found = network_file(rgb, "rgb.pt").preparation
    assert found.channels == 3 and "can't be known: give mean and std" in found.describe()
    for changes in (UNCHANGED, Changes(mean=(0.5, 0.5, 0.5)), Changes(size=28)):
        with pytest.raises(BadInput, match=r"reads images of 3 channels, .* give mean and std"):
            found.with_changes(changes)
        with pytest.raises(BadInput):
            opened(rgb, "rgb.pt", changes)
    given = Changes(28, 28, (0.5,) * 3, (0.2,) * 3)
    network = opened(rgb, "rgb.pt", given)
    assert network.preprocessing == Preprocessing((0.5,) * 3, (0.2,) * 3, 28, 28)
    assert network.input_shape == (3, 28, 28)


def test_changes_replace_what_they_name_alone() -> None:
    data = saved("explorer:vgg_small")
    changed = opened(data, "a.pt", Changes(size=24, std=(0.5,)))
    assert changed.preprocessing == replace(GREY, size=24, std=(0.5,))
    assert opened(data, "a.pt", UNCHANGED).preprocessing == GREY


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (Changes(mean=(0.1, 0.2)), "mean has 2 values and std 1"),
        (Changes(size=20, crop=24), "crop 24 is larger than size 20"),
        (Changes(std=(0.0,)), "std is 0.0"),
    ],
)
def test_changes_that_no_image_can_be_prepared_with_are_refused(changes: Changes, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        usual_preparation("explorer:vgg_small").with_changes(changes)


def test_unknown_architectures_are_refused() -> None:
    with pytest.raises(BadInput, match="'explorer:none' is unknown"):
        usual_preparation("explorer:none")
    with pytest.raises(BadInput, match="is your own code"):
        network_file(b"", "a.pt", arch="os:system")


def made_of(*sides: tuple[int, int], channels: int = 3) -> ImageSet:
    """One image of each height and width."""
    images = [np.zeros((*side, channels), np.uint8) for side in sides]
    return image_set("mine", Labelled(images, np.zeros(len(images), int), ["a"]), seed=0)


FACTORY, STEM = "package.module:factory", "torchvision:resnet18,stem=cifar"


@pytest.mark.parametrize("arch", [FACTORY, STEM])
@pytest.mark.parametrize("channels", [1, 3, 6])
def test_who_says_no_size_gets_that_of_the_images(arch: str, channels: int) -> None:
    plain = Preprocessing((0.5,) * channels, (0.5,) * channels)
    found = sized(arch, plain, made_of((40, 40), (40, 40), channels=channels))
    assert found == replace(plain, crop=40)


@pytest.mark.parametrize(
    ("arch", "given"),
    [
        (FACTORY, Preprocessing((0.5,), (0.5,), size=20)),
        (FACTORY, Preprocessing((0.5,), (0.5,), crop=20)),
        (FACTORY, Preprocessing((0.5,), (0.5,), frames=4)),
        ("explorer:resnet20", Preprocessing((0.5,), (0.5,))),
    ],
)
def test_a_size_that_is_said_or_known_stays(arch: str, given: Preprocessing) -> None:
    assert sized(arch, given, made_of((40, 40))) == given


@pytest.mark.parametrize(
    ("sides", "shown"), [(((40, 40), (30, 30)), "30x30, 40x40 pixels"), (((40, 30), (40, 30)), "40x30 pixels")]
)
def test_images_of_several_sizes_or_no_squares_are_asked_about(sides: tuple[tuple[int, int], ...], shown: str) -> None:
    with pytest.raises(BadInput, match=rf"^The images of mine are of {shown}, .* give a size and a crop\.$"):
        sized(FACTORY, GREY, made_of(*sides))


def test_an_image_of_other_channels_is_named_where_sizes_are_looked_at() -> None:
    with pytest.raises(BadInput, match="image 0 of mine: it has 6 channels, but the network reads 3"):
        sized(FACTORY, Preprocessing((0.5,) * 3, (0.5,) * 3), made_of((40, 40), channels=6))


def test_changes_survive_json() -> None:
    changes = Changes(32, 28, (0.1, 0.2, 0.3), (1.0, 1.0, 1.0), 8)
    assert changes_from_json(changes.to_json()) == changes
    assert changes_from_json({"source": "demo", "arch": None}) == UNCHANGED and UNCHANGED.to_json() == {}
    for broken in ({"size": "x"}, {"mean": 3}, {"std": ["a"]}, {"frames": []}):
        with pytest.raises((TypeError, ValueError)):
            changes_from_json(broken)


def test_a_first_layer_of_any_width_asks_for_as_many_means() -> None:
    file = network_file(saved("explorer:vgg_small", in_channels=2), "events.pt")
    with pytest.raises(BadInput, match=r"^The network reads images of 2 channels, .* give mean and std"):
        file.preparation.with_changes(UNCHANGED)
    with pytest.raises(BadInput, match=r"^mean and std have 3 values, but the first layer .* reads 2 channels"):
        file.preparation.with_changes(Changes(mean=(0.5,) * 3, std=(1.0,) * 3))
    with pytest.raises(BadInput, match=r"^mean and std have 2 values, but the first layer .* reads 1 channel:"):
        demo_file().preparation.with_changes(Changes(mean=(0.1, 0.2), std=(0.3, 0.4)))
    prepared = file.preparation.with_changes(Changes(28, 28, (0.1, 0.2), (0.3, 0.4)))
    assert file.network(prepared).input_shape == (2, 28, 28)
    assert file.preparation.with_changes(UNCHANGED, images=False).mean == (0.0, 0.0)
