"""The observation against arithmetic and against a plain re-computation; batches must not matter."""

from __future__ import annotations

from dataclasses import fields

import closed_form
import numpy as np
import pytest
import torch
from networks_at_hand import MODULES, SHAPE, UNUSUAL, at_hand, images, shape_of
from torch import nn
from torch.nn import functional as F

from explorer.networks.feature_maps import max_pooled, unit_maps
from explorer.networks.gates import Gated
from explorer.scoring.map_ranks import map_ranks
from explorer.scoring.observe import Observation, observe


def test_gradient_at_the_gates_in_closed_form() -> None:
    seen = observe(closed_form.network(), closed_form.batches())
    np.testing.assert_allclose(seen.gradient, closed_form.GRADIENT, rtol=1e-5)
    np.testing.assert_allclose(seen.gradient_abs, np.abs(closed_form.GRADIENT), rtol=1e-5)  # one position
    np.testing.assert_allclose(seen.mean, closed_form.Z, rtol=1e-6)
    np.testing.assert_allclose(seen.mean_square, closed_form.Z**2, rtol=1e-6)
    np.testing.assert_allclose(seen.largest, closed_form.Z, rtol=1e-6)
    np.testing.assert_array_equal(seen.positive, closed_form.Z > 0)


@pytest.mark.parametrize("name", [*MODULES, *UNUSUAL])
def test_results_do_not_depend_on_the_batch_split(name: str) -> None:
    network = at_hand(name)
    whole, split = (observe(network, images(shape_of(name), size=size)) for size in (12, 5))
    for field in fields(Observation):
        if field.name != "units":
            torch.testing.assert_close(getattr(whole, field.name), getattr(split, field.name), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", [*MODULES, *UNUSUAL])
def test_gradient_agrees_with_a_small_step_of_each_gate(name: str) -> None:
    network, batches = at_hand(name), images(shape_of(name), n=6)
    seen = observe(network, batches)
    gated = Gated(network.module.double(), network.units)
    eye = torch.eye(len(network.units), dtype=torch.float64)

    def loss(gates: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(gated(batches.x.double(), gates), batches.y, reduction="none")

    step = 1e-6
    slopes = torch.stack([(loss(1 + step * unit) - loss(1 - step * unit)) / (2 * step) for unit in eye], 1)
    torch.testing.assert_close(seen.gradient, slopes, rtol=1e-3, atol=1e-5)


def test_feature_map_is_taken_after_batch_norm_and_activation_before_pooling() -> None:
    network, batches = at_hand("plain_batchnorm"), images(SHAPE)
    seen = observe(network, batches)
    z = network.module[:3](batches.x)
    torch.testing.assert_close(seen.mean[:, :5], z.mean((2, 3)).double(), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(seen.positive[:, :5], (z > 0).double().mean((2, 3)))
    assert seen.positions.tolist() == [64] * 5 + [4] * 7


def test_feature_map_of_a_residual_branch_is_before_the_addition() -> None:
    network, batches = at_hand("residual"), images(SHAPE)
    seen, body = observe(network, batches), network.module
    stem = body.norm0(body.stem(batches.x)).relu()
    branch = body.norm2(body.conv2(body.norm1(body.conv1(stem)).relu()))
    expected = (stem.mean((2, 3)) + branch.mean((2, 3))) / 2
    place = network.units.slices["stem"]
    torch.testing.assert_close(seen.mean[:, place], expected.double(), rtol=1e-5, atol=1e-6)


def test_in_place_relu_does_not_spoil_the_feature_map() -> None:
    network, batches = at_hand("plain"), images(SHAPE)
    assert network.module[1].inplace
    z = nn.functional.relu(network.module[0](batches.x))
    torch.testing.assert_close(observe(network, batches).mean[:, :5], z.mean((2, 3)).double(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", MODULES)
def test_the_network_is_left_as_found(name: str) -> None:
    network = at_hand(name)
    observe(network, images(SHAPE))
    modules = list(network.module.modules())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in modules)
    assert all(p.grad is None and not p.requires_grad for p in network.module.parameters())


def test_layers_before_a_max_pooling_are_found() -> None:
    assert max_pooled(at_hand("plain")) == {"0", "3"}
    assert max_pooled(at_hand("plain_batchnorm")) == set()


@pytest.mark.parametrize("name", MODULES)
def test_unit_maps_are_what_the_moments_were_taken_of(name: str) -> None:
    network, batches = at_hand(name), images(SHAPE)
    maps, seen = unit_maps(network, batches.x[0]), observe(network, batches)
    for layer in network.units.layers:
        assert maps[layer.name].shape[0] == len(layer)
        if len(layer.writers) == 1:
            mean = seen.mean[0, network.units.slices[layer.name]]
            torch.testing.assert_close(maps[layer.name].double().mean((1, 2)), mean, rtol=1e-5, atol=1e-6)


def test_the_segments_of_a_clip_are_positions_of_the_same_feature_map() -> None:
    network, batches = at_hand("clip"), images(shape_of("clip"), n=3)
    seen, clip = observe(network, batches), network.module
    segments = torch.stack(batches.x.split(4, dim=2), 1)  # (N, S, 1, 4, 8, 8)
    z = torch.stack([clip.norm(clip.first(part)).relu() for part in segments.unbind(1)], 1)  # (N, S, 5, 4, 8, 8)
    torch.testing.assert_close(seen.mean[:, :5], z.mean((1, 3, 4, 5)).double(), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(seen.positive[:, :5], (z > 0).double().mean((1, 3, 4, 5)))
    assert seen.positions.tolist() == [2 * 4 * 8 * 8] * 5 + [2 * 2 * 2 * 2] * 4
    assert unit_maps(network, batches.x[0])["first"].shape == (5, 8, 8)
    ranks = map_ranks(network, batches)
    expected = torch.linalg.matrix_rank(z).double().mean((1, 3))
    torch.testing.assert_close(ranks[:, :5], expected)


def test_statistics_of_channels_that_go_together_are_averaged() -> None:
    network, batches = at_hand("grouped"), images(SHAPE, n=4)
    maps = network.module.norm(network.module.reduce(batches.x)).relu().double()
    z = maps.mean((2, 3))
    expected = (z[:, :3] + z[:, 3:]) / 2  # channels 0 and 3 are one unit, and so on
    seen = observe(network, batches)
    torch.testing.assert_close(seen.mean[:, :3], expected, rtol=1e-5, atol=1e-6)
    largest = maps.amax((2, 3))
    torch.testing.assert_close(seen.largest[:, :3], torch.maximum(largest[:, :3], largest[:, 3:]), rtol=1e-5, atol=1e-6)
