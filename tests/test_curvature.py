"""Curvature at the gates against its closed form and autograd's Hessian."""

from __future__ import annotations

from dataclasses import replace

import closed_form
import numpy as np
import pytest
import torch
from networks_at_hand import MODULES, SHAPE, at_hand, images
from torch import Tensor

from explorer.curvature import EXACT_CLASSES, curvature, curvature_by_classes, curvature_by_probes
from explorer.gates import Gated
from explorer.networks.network import Network

PIECEWISE_LINEAR_CROSSED_ONCE = ["plain", "fire", "depthwise"]


def hessians(network: Network, n: int) -> Tensor:
    """(n, units, units): autograd's Hessian of each image's loss in its gates."""
    batches, gated = images(SHAPE, n=n), Gated(network.module, network.units)

    def loss(gates: Tensor, i: int) -> Tensor:
        return torch.nn.functional.cross_entropy(gated(batches.x[i : i + 1], gates), batches.y[i : i + 1])

    ones = torch.ones(len(network.units))
    return torch.stack([torch.autograd.functional.hessian(lambda g, i=i: loss(g, i), ones) for i in range(n)]).double()


def test_by_classes_in_closed_form() -> None:
    found = curvature_by_classes(closed_form.network(), closed_form.batches())
    np.testing.assert_allclose(found, closed_form.CURVATURE, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", PIECEWISE_LINEAR_CROSSED_ONCE)
def test_by_classes_is_the_hessians_diagonal(name: str) -> None:
    network = at_hand(name)
    found = curvature_by_classes(network, images(SHAPE, n=3))
    torch.testing.assert_close(found, hessians(network, 3).diagonal(dim1=1, dim2=2), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", MODULES)
def test_probes_agree_with_the_hessians_diagonal_within_their_error(name: str) -> None:
    network, probes = at_hand(name), 600
    exact = hessians(network, 2)
    diagonal = exact.diagonal(dim1=1, dim2=2)
    spread = (exact.square().sum(2) - diagonal.square()).clamp(min=0).sqrt() / probes**0.5  # of the estimator
    found = curvature_by_probes(network, images(SHAPE, n=2), probes=probes)
    assert ((found - diagonal).abs() <= 5 * spread + 1e-5).all()


@pytest.mark.parametrize("method", [curvature_by_classes, curvature_by_probes])
def test_the_batch_split_does_not_matter(method) -> None:
    whole, split = (method(at_hand("plain"), images(SHAPE, size=size)) for size in (12, 5))
    torch.testing.assert_close(whole, split, rtol=1e-5, atol=1e-7)


def test_many_classes_are_handled_by_probes() -> None:
    network, batches = at_hand("plain"), images(SHAPE)
    many = replace(network, classes=tuple(map(str, range(EXACT_CLASSES + 1))))
    assert torch.equal(curvature(many, batches, seed=3), curvature_by_probes(network, batches, seed=3))
    assert torch.equal(curvature(network, batches), curvature_by_classes(network, batches))
