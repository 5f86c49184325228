"""Criteria of the weights against arithmetic on the kernels themselves."""

from __future__ import annotations

from collections.abc import Callable

import closed_form
import numpy as np
import pytest
import torch
from networks_at_hand import MODULES, SHAPE, at_hand, images, network
from torch import nn

from explorer.core.errors import BadInput
from explorer.networks.network import Network
from explorer.scoring.criteria import CRITERIA
from explorer.scoring.evidence import gather
from explorer.scoring.kernels import batchnorm_scales, without_batchnorm

SIZES: dict[str, Callable[[np.ndarray], float]] = {
    "weight": lambda w: float(np.mean(w**2)),
    "l1": lambda w: float(np.abs(w).sum()),
}


def kernels(found: Network, layer, writer: str) -> list[np.ndarray]:
    weight = found.module.get_submodule(writer).weight.numpy().astype(np.float64)
    return [weight[channels].ravel() for channels in layer.written(writer)]


def saliency(name: str, found: Network) -> np.ndarray:
    return CRITERIA[name].saliency(gather(found, images(SHAPE), CRITERIA[name].needs)).numpy()


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("module", MODULES)
def test_size_of_the_kernel_averaged_over_the_convolutions_that_write_it(name: str, module: str) -> None:
    found, expected = at_hand(module), []
    for layer in found.units.layers:
        sizes = [[SIZES[name](w) for w in kernels(found, layer, writer)] for writer in layer.writers]
        expected += np.mean(sizes, axis=0).tolist()
    np.testing.assert_allclose(saliency(name, found), expected, rtol=1e-6)


@pytest.mark.parametrize("module", MODULES)
def test_distances_from_all_kernels_of_the_layer(module: str) -> None:
    found, expected = at_hand(module), []
    for layer in found.units.layers:
        sums = []
        for writer in layer.writers:
            held = kernels(found, layer, writer)
            sums.append([sum(float(np.linalg.norm(w - v)) for v in held) for w in held])
        expected += np.mean(sums, axis=0).tolist()
    np.testing.assert_allclose(saliency("fpgm", found), expected, rtol=1e-5)


def test_the_kernel_in_the_middle_is_the_one_that_others_can_stand_in_for() -> None:
    module = nn.Sequential(nn.Conv2d(1, 3, 1, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(3, 3))
    module[0].weight.data = torch.tensor([1.0, 2.0, 4.0]).view(3, 1, 1, 1)
    np.testing.assert_allclose(saliency("fpgm", network(module, (1, 1, 1))), [1 + 3, 1 + 2, 3 + 2], rtol=1e-6)


def test_sizes_in_closed_form() -> None:
    np.testing.assert_allclose(saliency("weight", closed_form.network()), closed_form.A**2)
    np.testing.assert_allclose(saliency("l1", closed_form.network()), np.abs(closed_form.A))


def test_batch_norm_scale_is_its_absolute_weight() -> None:
    found = at_hand("plain_batchnorm")
    gammas = [torch.linspace(-1, 2, 5), torch.linspace(3, -3, 7)]
    for place, gamma in zip((1, 5), gammas, strict=True):
        found.module[place].weight.data = gamma
    np.testing.assert_allclose(saliency("bn_scale", found), torch.cat(gammas).abs(), rtol=1e-6)


def test_batch_norm_scales_of_coupled_units_are_averaged() -> None:
    found = at_hand("residual")
    found.module.norm0.weight.data, found.module.norm2.weight.data = torch.arange(6.0), -torch.ones(6)
    scales = batchnorm_scales(found)
    assert scales is not None
    np.testing.assert_allclose(scales[found.units.slices["stem"]], (torch.arange(6) + 1) / 2)


def test_a_network_without_batch_norm_can_not_be_scored_by_its_scale() -> None:
    found = at_hand("plain")
    assert batchnorm_scales(found) is None
    assert without_batchnorm(found) == "layer 0 and 1 more of plain have no batch-norm with a scale"
    bare = at_hand("plain_batchnorm")
    bare.module[4] = nn.Conv2d(5, 7, 3)
    bare.module[5] = nn.BatchNorm2d(7, affine=False)
    assert without_batchnorm(bare) == "layer 4 of plain_batchnorm has no batch-norm with a scale"


def test_weights_are_read_without_any_pass() -> None:
    def refuse(done: int, total: int, note: str = "") -> None:
        raise BadInput(f"there was a pass: {note}")

    found = at_hand("plain_batchnorm")
    for name in ("weight", "l1", "fpgm", "bn_scale", "random"):
        evidence = gather(found, images(SHAPE), CRITERIA[name].needs, report=refuse)
        assert CRITERIA[name].saliency(evidence).shape == (len(found.units),)
    with pytest.raises(BadInput, match="there was a pass"):
        gather(found, images(SHAPE), CRITERIA["taylor"].needs, report=refuse)
