"""Ranks of feature maps against numpy's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from networks_at_hand import MODULES, SHAPE, at_hand, images
from torch import nn

from explorer.networks.feature_maps import unit_maps
from explorer.scoring.criteria import CRITERIA
from explorer.scoring.map_ranks import map_ranks, matrix_ranks


@pytest.mark.parametrize("module", MODULES)
def test_rank_of_each_feature_map_is_that_of_the_matrix(module: str) -> None:
    network, batches = at_hand(module), images(SHAPE, n=3)
    found = map_ranks(network, batches)
    for i, image in enumerate(batches.x):
        for layer, maps in unit_maps(network, image).items():
            if len(network.units.layers[list(network.units.slices).index(layer)].writers) == 1:
                expected = np.linalg.matrix_rank(maps.numpy())
                np.testing.assert_array_equal(found[i, network.units.slices[layer]], expected)


def test_ranks_are_of_the_first_images_however_they_come_in_batches() -> None:
    network = at_hand("plain")
    whole, split = (map_ranks(network, images(SHAPE, size=size), images=7) for size in (12, 5))
    assert torch.equal(whole.nan_to_num(-1), split.nan_to_num(-1))
    assert whole[:7].isfinite().all() and whole[7:].isnan().all()
    assert torch.equal(CRITERIA["hrank"].function(whole), whole[:7].mean(0))


def test_a_dead_feature_map_has_rank_0() -> None:
    network = at_hand("plain")
    network.module[0].weight.data[1], network.module[0].bias.data[1] = 0, -1
    assert isinstance(network.module[1], nn.ReLU)
    assert not map_ranks(network, images(SHAPE))[:, 1].any()


def test_volumes_have_the_mean_rank_of_their_slices_and_sequences_are_matrices_of_one_row() -> None:
    generator = torch.Generator().manual_seed(0)
    volumes, sequences = torch.randn(2, 3, 4, 5, 6, generator=generator), torch.zeros(2, 3, 7)
    volumes[0, 0, :2] = 0
    sequences[1, 2, 3] = 5
    expected = np.linalg.matrix_rank(volumes.numpy()).mean(2)
    assert expected[0, 0] == 2.5
    np.testing.assert_array_equal(matrix_ranks(volumes), expected)
    assert matrix_ranks(sequences).tolist() == [[0, 0, 0], [0, 0, 1]]
