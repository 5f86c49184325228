"""Criteria of the loss against their closed forms, autograd's own gradients, and each other."""

from __future__ import annotations

import closed_form
import numpy as np
import pytest
import torch
from networks_at_hand import MODULES, SHAPE, at_hand, images
from torch.nn import functional as F

from explorer.networks.network import replica
from explorer.scoring.criteria import CRITERIA
from explorer.scoring.curvature import curvature_by_probes
from explorer.scoring.evidence import Evidence, gather
from explorer.scoring.observe import observe


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return gather(closed_form.network(), closed_form.batches())


# One weight w = a_u and one pixel x: dC/dw * w = dC/dz * a_u * x where z > 0, and dC/dz = gradient at the gate / z.
with np.errstate(divide="ignore", invalid="ignore"):
    WEIGHT_EFFECT = np.where(
        closed_form.Z > 0, closed_form.GRADIENT / closed_form.Z * closed_form.A * closed_form.PIXELS[:, None], 0
    )

EXPECTED = {
    "taylor": np.abs(closed_form.GRADIENT).mean(0),
    "taylor_mean": np.abs(closed_form.GRADIENT.mean(0)),
    "taylor_element": np.abs(closed_form.GRADIENT).mean(0),
    "taylor2": np.abs((closed_form.CURVATURE / 2 - closed_form.GRADIENT).mean(0)),
    "linear_oracle": np.abs(closed_form.CHANGES.mean(0)),
    "obd": closed_form.CURVATURE.mean(0) / 2,
    "weight_taylor": (WEIGHT_EFFECT**2).mean(0),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_criterion_in_closed_form(name: str, evidence: Evidence) -> None:
    np.testing.assert_allclose(CRITERIA[name].saliency(evidence), EXPECTED[name], rtol=1e-5)


def test_taylor_is_the_gradient_over_the_positions_of_the_feature_map() -> None:
    seen = observe(at_hand("plain"), images(SHAPE))
    positions = np.array([64] * 5 + [16] * 6)
    expected = seen.gradient.abs().mean(0).numpy() / positions
    np.testing.assert_allclose(CRITERIA["taylor"].saliency(Evidence(seen.units, seen=seen)), expected)


@pytest.mark.parametrize("module", MODULES)
def test_where_the_absolute_value_is_taken_orders_the_taylor_variants(module: str) -> None:
    network = at_hand(module)
    evidence, slack = gather(network, images(SHAPE), {"seen"}), 1 + 1e-6
    mean, image, element = (CRITERIA[n].saliency(evidence) for n in ("taylor_mean", "taylor", "taylor_element"))
    assert (mean <= image * slack).all()
    if module.startswith("plain"):  # one writer and one consumer, and between them every position keeps its weight
        assert (image <= element * slack).all()


@pytest.mark.parametrize("module", MODULES)
def test_weight_taylor_is_autograds_gradient_of_each_weight(module: str) -> None:
    network, batches = at_hand(module), images(SHAPE, n=4)
    body = replica(network.module)
    weights = {w: body.get_submodule(w).weight for layer in network.units.layers for w in layer.writers}
    for weight in weights.values():
        weight.requires_grad_(True)
    squares = torch.zeros(len(network.units), dtype=torch.float64)
    for x, y in zip(batches.x, batches.y, strict=True):
        loss = F.cross_entropy(body(x[None]), y[None])
        slopes = dict(zip(weights, torch.autograd.grad(loss, list(weights.values())), strict=True))
        for layer in network.units.layers:
            parts = [(slopes[w] * weights[w])[layer.written(w)].flatten(1).sum(1) for w in layer.writers]
            squares[network.units.slices[layer.name]] += sum(parts).detach().double() ** 2 / len(batches)
    found = CRITERIA["weight_taylor"].saliency(gather(network, batches, {"seen"}))
    torch.testing.assert_close(found, squares, rtol=1e-3, atol=1e-9)


def test_second_order_and_the_linearised_oracle_agree_for_small_effects() -> None:
    network, batches = at_hand("plain"), images(SHAPE)
    found = gather(network, batches)
    assert found.curvature is not None and found.linear_change is not None and found.seen is not None
    second_order = found.curvature.values / 2 - found.seen.gradient
    small = found.seen.gradient.abs() < 0.05
    assert small.sum() > 20
    torch.testing.assert_close(found.linear_change[small], second_order[small], rtol=0.05, atol=1e-3)


@pytest.mark.parametrize("module", MODULES)
def test_obd_is_half_the_curvature_however_it_was_found(module: str) -> None:
    network, batches = at_hand(module), images(SHAPE)
    found = curvature_by_probes(network, batches, probes=4)
    assert torch.equal(CRITERIA["obd"].function(found), found.values.mean(0) / 2)
