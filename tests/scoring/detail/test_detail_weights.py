"""A unit's kernels against what the convolutions compute, and their pictures by arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from networks_at_hand import MODULES, SHAPE, UNUSUAL, at_hand, images, shape_of
from networks_at_hand import network as network_of
from torch import nn
from torch.nn import functional as F

from explorer.networks.network import Network, replica
from explorer.scoring.detail import Kernel, kernel_picture, kernels, locate, norms, source

EVERY = [*MODULES, *UNUSUAL]


def passed(network: Network, name: str, shape: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    """What a convolution reads and writes on a few images."""
    seen = {}
    body = replica(network.module)
    body.get_submodule(name).register_forward_hook(lambda _, x, out: seen.update(x=x[0].clone(), out=out.clone()))
    with torch.no_grad():
        body(images(shape, n=2).x)
    return seen["x"].double(), seen["out"].double()


@pytest.mark.parametrize("name", EVERY)
def test_kernels_on_the_channels_that_they_read_give_what_the_convolution_writes(name: str) -> None:
    network = at_hand(name)
    for unit in range(len(network.units)):
        layer, place = locate(network.units, unit)
        found = kernels(network, unit)
        assert tuple(kernel.writer for kernel in found) == layer.writers
        for kernel in found:
            conv = network.module.get_submodule(kernel.writer)
            x, out = passed(network, kernel.writer, shape_of(name))
            convolve = F.conv3d if x.dim() == 5 else F.conv2d
            for i, channel in enumerate(layer.written(kernel.writer)[place]):
                bias = None if kernel.bias is None else kernel.bias[i : i + 1]
                alone = convolve(x[:, kernel.reads[i]], kernel.weights[i : i + 1], bias, conv.stride, conv.padding)
                torch.testing.assert_close(alone[:, 0], out[:, channel], rtol=1e-4, atol=1e-5)


def test_a_unit_is_located_by_its_place_in_the_global_order() -> None:
    units = at_hand("fire").units
    found = [locate(units, unit) for unit in range(len(units))]
    assert [(layer.name, layer.channels[place]) for layer, place in found] == list(units.labels)


@pytest.mark.parametrize("name", EVERY)
def test_the_source_of_an_input_is_the_unit_whose_gate_closes_it(name: str) -> None:
    network = at_hand(name)
    for layer in network.units.layers:
        for reader in (c for c in layer.couplings if c.side == "in"):
            for place, channels in enumerate(reader.channels):
                unit = network.units.slices[layer.name].start + place
                if reader.module in layer.consumers:
                    assert {source(network.units, reader.module, channel) for channel in channels.tolist()} == {unit}


def test_the_images_channels_have_no_source() -> None:
    assert source(at_hand("plain").units, "0", 0) is None


def test_batch_norms_over_the_unit_come_with_scale_and_shift() -> None:
    network = at_hand("residual")
    unit = network.units.slices["stem"].start + 2
    found = {norm.module: (float(norm.scale), float(norm.shift)) for norm in norms(network, unit)}
    both = {name: network.module.get_submodule(name) for name in ("norm0", "norm2")}
    assert found == {name: (float(norm.weight[2]), float(norm.bias[2])) for name, norm in both.items()}
    assert norms(at_hand("plain"), 0) == ()
    assert norms(at_hand("grouped"), 0)[0].scale.shape == (2,)


def test_a_batch_norm_without_scale_is_not_listed() -> None:
    body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))
    network = network_of(body, SHAPE)
    body[1].affine, body[1].weight, body[1].bias = False, None, None
    assert norms(network, 0) == ()


def kernel(weights: torch.Tensor, colours: bool = False) -> Kernel:
    reads = 10 + torch.arange(weights.shape[1]).expand(len(weights), -1)
    return Kernel("conv", weights.double(), None, reads, colours)


def test_a_kernel_over_one_channel_is_shown_with_its_signs() -> None:
    weights = torch.tensor([[[[1.0, -2.0]]]])
    picture = kernel_picture(kernel(weights))
    assert picture.signed and picture.whole.tolist() == [[1, -2]] and not len(picture.slices)


def test_a_kernel_over_many_channels_is_a_mean_of_sizes_and_its_strongest_slices() -> None:
    weights = torch.tensor([[[[1.0, -1.0]], [[0.0, 0.5]], [[-3.0, 0.0]]]])
    picture = kernel_picture(kernel(weights), count=2)
    assert not picture.signed
    assert picture.whole.ravel() == pytest.approx([4 / 3, 1.5 / 3])
    assert picture.channels == (12, 10)
    assert picture.slices.tolist() == [[[-3, 0]], [[1, -1]]]
    assert picture.shares == pytest.approx((3 / 5.5, 2 / 5.5))


def test_the_second_channel_of_a_unit_has_a_picture_of_its_own() -> None:
    weights = torch.stack([torch.ones(1, 2, 2), torch.full((1, 2, 2), 3.0)])
    assert kernel_picture(kernel(weights), channel=1).whole.tolist() == [[3, 3], [3, 3]]


def test_kernels_over_time_and_of_sequences_become_planes() -> None:
    clip = torch.stack([torch.full((2, 2), -1.0), torch.full((2, 2), 3.0)])[None, None]  # (1, 1, T, h, w)
    np.testing.assert_array_equal(kernel_picture(kernel(clip)).whole, np.ones((2, 2)))
    both = clip.expand(1, 2, 2, 2, 2)
    np.testing.assert_array_equal(kernel_picture(kernel(both)).whole, np.full((2, 2), 2.0))  # sizes before the mean
    assert kernel_picture(kernel(torch.ones(1, 4, 5))).slices.shape == (4, 1, 5)


def test_only_a_convolution_over_the_image_itself_has_colours() -> None:
    body = nn.Sequential(nn.Conv2d(3, 3, 3), nn.ReLU(), nn.Conv2d(3, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 3))
    network = network_of(body, (3, 8, 8))
    of_image, of_maps = (kernels(network, unit)[0] for unit in (1, 4))
    assert of_image.colours and not of_maps.colours
    whole = kernel_picture(of_image).whole
    np.testing.assert_array_equal(whole, body[0].weight[1].permute(1, 2, 0).double())
    assert kernel_picture(of_maps).whole.shape == (3, 3)


def test_a_dead_kernel_has_a_picture() -> None:
    picture = kernel_picture(kernel(torch.zeros(1, 4, 3, 3)))
    assert not picture.whole.any() and picture.shares == (0, 0, 0, 0)
