"""Curvature at the gates against its closed form, autograd's Hessian, and itself found in another way."""

from __future__ import annotations

from functools import partial

import closed_form
import numpy as np
import pytest
import torch
from networks_at_hand import MODULES, SHAPE, at_hand, images, many_classes
from torch import Tensor

from explorer.networks.gates import Gated
from explorer.networks.network import Network
from explorer.scoring.curvature import Curvature, curvature_by_probes, fisher
from explorer.scoring.linearise import linearise

PIECEWISE_LINEAR_CROSSED_ONCE = ["plain", "fire", "depthwise"]


def by_fisher(network: Network, batches, draws: int = 0, seed: int = 0) -> Curvature:
    parts = [fisher(found) for found in linearise(network, batches, draws=draws, seed=seed)]
    return Curvature(torch.cat([p.values for p in parts]), torch.cat([p.variance for p in parts]))


def hessians(network: Network, n: int) -> Tensor:
    """(n, units, units): autograd's Hessian of each image's loss in its gates."""
    batches, gated = images(SHAPE, n=n), Gated(network.module, network.units)

    def loss(gates: Tensor, i: int) -> Tensor:
        return torch.nn.functional.cross_entropy(gated(batches.x[i : i + 1], gates), batches.y[i : i + 1])

    ones = torch.ones(len(network.units))
    return torch.stack([torch.autograd.functional.hessian(lambda g, i=i: loss(g, i), ones) for i in range(n)]).double()


def test_fisher_in_closed_form() -> None:
    found = by_fisher(closed_form.network(), closed_form.batches())
    np.testing.assert_allclose(found.values, closed_form.CURVATURE, rtol=1e-5, atol=1e-7)
    assert not found.variance.any()


@pytest.mark.parametrize("name", PIECEWISE_LINEAR_CROSSED_ONCE)
def test_fisher_is_the_hessians_diagonal(name: str) -> None:
    network = at_hand(name)
    found = by_fisher(network, images(SHAPE, n=3)).values
    torch.testing.assert_close(found, hessians(network, 3).diagonal(dim1=1, dim2=2), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", MODULES)
def test_fisher_is_never_negative(name: str) -> None:
    assert (by_fisher(at_hand(name), images(SHAPE)).values >= 0).all()


@pytest.mark.parametrize("name", MODULES)
def test_probes_agree_with_the_hessians_diagonal_within_their_error(name: str) -> None:
    network, probes = at_hand(name), 600
    exact = hessians(network, 2)
    diagonal = exact.diagonal(dim1=1, dim2=2)
    spread = (exact.square().sum(2) - diagonal.square()).clamp(min=0) / probes  # variance of the estimator
    found = curvature_by_probes(network, images(SHAPE, n=2), probes=probes)
    assert ((found.values - diagonal).abs() <= 5 * spread.sqrt() + 1e-5).all()
    torch.testing.assert_close(found.variance, spread, rtol=0.5, atol=1e-9)


@pytest.mark.parametrize("name", PIECEWISE_LINEAR_CROSSED_ONCE)
def test_fisher_and_probes_are_two_ways_to_one_number(name: str) -> None:
    network, batches = at_hand(name), images(SHAPE, n=4)
    exact, probed = by_fisher(network, batches), curvature_by_probes(network, batches, probes=400)
    error = (exact.values - probed.values).mean(0).abs()
    assert (error <= 5 * probed.standard_error + 1e-5).all()


def test_the_standard_error_is_that_of_a_mean_over_images() -> None:
    found = Curvature(torch.zeros(4, 2), torch.tensor([[1.0, 0]] * 4))
    assert found.standard_error.tolist() == [0.5, 0]


def test_classes_that_are_not_followed_are_summed_over_by_draws() -> None:
    network, batches = many_classes(), images(SHAPE, n=3, classes=40)
    exact = hessians_of_many(network, batches)
    found = by_fisher(network, batches, draws=400)
    assert ((found.values - exact).abs() <= 5 * found.variance.sqrt() + 1e-6).all()
    few = [by_fisher(network, batches, draws=3, seed=seed) for seed in range(150)]
    values = torch.stack([f.values for f in few])
    stated = torch.stack([f.variance for f in few]).mean(0)
    assert ((values.mean(0) - exact).abs() <= 5 * (values.var(0) / len(few)).sqrt() + 1e-6).all()
    torch.testing.assert_close(values.var(0).mean(), stated.mean(), rtol=0.2, atol=1e-12)


def hessians_of_many(network: Network, batches) -> Tensor:
    """The Fisher diagonal with every class followed, from autograd's Jacobian of all logits."""
    gated, rows = Gated(network.module, network.units), []
    for x in batches.x:
        ones = torch.ones(len(network.units))
        logits = gated(x[None], ones)[0].double()
        slopes = torch.autograd.functional.jacobian(lambda g, x=x: gated(x[None], g)[0], ones).double()
        p = logits.softmax(0)[:, None]
        rows.append((p * slopes.square()).sum(0) - (p * slopes).sum(0).square())
    return torch.stack(rows)


@pytest.mark.parametrize("method", [by_fisher, partial(curvature_by_probes, probes=4)])
def test_the_batch_split_does_not_matter(method) -> None:
    whole, split = (method(at_hand("plain"), images(SHAPE, size=size)) for size in (12, 5))
    torch.testing.assert_close(whole.values, split.values, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(whole.variance, split.variance, rtol=1e-4, atol=1e-9)
