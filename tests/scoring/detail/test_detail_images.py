"""What excites a unit, against the observation that criteria are computed from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from networks_at_hand import MODULES, SHAPE, UNUSUAL, at_hand, images, shape_of

from explorer.data.preprocessing import Preprocessing
from explorer.data.tensors import normalise
from explorer.scoring.detail import EXCITEMENT, activation, locate, most_exciting, upsampled, without_normalisation
from explorer.scoring.observe import observe


@pytest.mark.parametrize("name", [*MODULES, *UNUSUAL])
def test_the_mean_of_a_units_maps_is_what_was_observed(name: str) -> None:
    network, batches = at_hand(name), images(shape_of(name), n=4)
    seen = observe(network, batches)
    for unit in range(len(network.units)):
        layer, _ = locate(network.units, unit)
        maps = [activation(network, unit, batches.x, writer) for writer in layer.writers]
        mean = torch.stack([z.double().mean((1, 2)) for z in maps]).mean(0)
        torch.testing.assert_close(mean, seen.mean[:, unit], rtol=1e-5, atol=1e-6)
        if layer.written(layer.name).shape[1] == 1 and name != "clip":
            largest = torch.stack([z.double().amax((1, 2)) for z in maps]).amax(0)
            torch.testing.assert_close(largest, seen.largest[:, unit], rtol=1e-5, atol=1e-6)


def test_the_network_is_left_as_found() -> None:
    network = at_hand("residual")
    activation(network, 0, images(SHAPE, n=1).x, "conv2")
    assert not any(module._forward_hooks for module in network.module.modules())


@pytest.mark.parametrize("by", EXCITEMENT)
def test_images_come_by_what_the_unit_answers(by: str) -> None:
    network, batches = at_hand("plain"), images(SHAPE, n=20)
    seen = observe(network, batches)
    z = network.module[:2](batches.x)[:, 3].flatten(1)
    answers = {"mean": z.mean(1), "largest": z.amax(1)}[by]
    order = most_exciting(seen, 3, by)
    assert sorted(order.tolist()) == list(range(20))
    assert (answers[order].diff() <= 1e-6).all()
    of_class = most_exciting(seen, 3, by, label=1)
    assert of_class.tolist() == [i for i in order.tolist() if batches.y[i] == 1]


@pytest.mark.parametrize(("channels", "frames"), [(1, None), (3, None), (3, 4)])
def test_images_are_shown_as_the_network_got_them(channels: int, frames: int | None) -> None:
    preprocessing = Preprocessing(mean=(0.4,) * channels, std=(0.2, 0.3, 0.25)[:channels], frames=frames)
    generator = torch.Generator().manual_seed(0)
    clip = () if frames is None else (frames,)
    pixels = torch.randint(256, (2, channels, *clip, 5, 6), generator=generator, dtype=torch.uint8)
    expected = pixels.double().mean(2) if frames else pixels.double()
    shown = without_normalisation(normalise(pixels, preprocessing), preprocessing)
    assert shown.shape == (2, 5, 6, channels) and shown.dtype == np.uint8
    assert np.abs(shown - expected.permute(0, 2, 3, 1).numpy()).max() <= 0.5 + 1e-3


def test_of_other_channels_their_mean_is_shown_from_its_least_to_its_largest() -> None:
    preprocessing = Preprocessing(mean=(0.4,) * 5, std=(0.2,) * 5)
    x = torch.rand((2, 5, 3, 4), generator=torch.Generator().manual_seed(0))
    mean = (x * 0.2 + 0.4).double().mean(1)
    low, high = mean.amin((1, 2), keepdim=True), mean.amax((1, 2), keepdim=True)
    shown = without_normalisation(x, preprocessing)
    assert shown.shape == (2, 3, 4, 1) and shown.dtype == np.uint8
    assert np.abs(shown[..., 0] - ((mean - low) / (high - low) * 255).numpy()).max() <= 0.5 + 1e-3


def test_maps_grow_to_the_image_and_keep_their_range() -> None:
    maps = torch.tensor([[[0.0, 4.0]], [[1.0, 1.0]]])
    grown = upsampled(maps, 3, 4)
    assert grown.shape == (2, 3, 4)
    assert grown[0, 1].tolist() == [0, 1, 3, 4] and (grown[1] == 1).all()
