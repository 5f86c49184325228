"""Every criterion of the table against arithmetic or an independent reference."""

from __future__ import annotations

import closed_form
import numpy as np
import pytest
import torch
from networks_at_hand import MODULES, SHAPE, at_hand, images
from scipy import stats

from explorer.criteria import BINS, CRITERIA, score
from explorer.curvature import curvature
from explorer.evidence import Evidence
from explorer.observe import observe


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    network, batches = closed_form.network(), closed_form.batches()
    return Evidence(observe(network, batches), curvature(network, batches))


EXPECTED = {
    "weight": closed_form.A**2,
    "activation_mean": closed_form.Z.mean(0),
    "activation_std": closed_form.Z.std(0),
    "apoz": (closed_form.Z > 0).mean(0),
    "taylor": np.abs(closed_form.GRADIENT).mean(0),
    "taylor_mean": np.abs(closed_form.GRADIENT.mean(0)),
    "taylor_element": np.abs(closed_form.GRADIENT).mean(0),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_criterion_in_closed_form(name: str, evidence: Evidence) -> None:
    np.testing.assert_allclose(CRITERIA[name].saliency(evidence), EXPECTED[name], rtol=1e-5)


def test_taylor_is_the_gradient_over_the_positions_of_the_feature_map() -> None:
    seen = observe(at_hand("plain"), images(SHAPE))
    positions = np.array([64] * 5 + [16] * 6)
    expected = seen.gradient.abs().mean(0).numpy() / positions
    np.testing.assert_allclose(CRITERIA["taylor"].saliency(Evidence(seen)), expected)


def test_where_the_absolute_value_is_taken_orders_the_taylor_variants() -> None:
    found = score(Evidence(observe(at_hand("plain"), images(SHAPE))))
    slack = 1 + 1e-6
    assert (found["taylor_mean"] <= found["taylor"] * slack).all()
    assert (found["taylor"] <= found["taylor_element"] * slack).all()


def test_mutual_information_against_a_contingency_table() -> None:
    network, batches = at_hand("plain"), images(SHAPE, n=200)
    seen = observe(network, batches)
    found = CRITERIA["mutual_information"].saliency(Evidence(seen))
    labels = seen.labels.numpy()
    for unit in range(len(network.units)):
        a = seen.mean[:, unit].numpy()
        edges = np.quantile(a, np.arange(1, BINS) / BINS)
        table = stats.contingency.crosstab(np.searchsorted(edges, a), labels).count
        h = [stats.entropy(table.sum(1)), stats.entropy(table.sum(0)), stats.entropy(table.ravel())]
        assert float(found[unit]) == pytest.approx(h[0] + h[1] - h[2], abs=1e-12)


def test_mutual_information_of_a_unit_that_tells_the_class_is_the_class_entropy() -> None:
    seen = observe(closed_form.network(), closed_form.batches())
    labels = torch.arange(40) % 4
    told = type(seen)(**{**vars(seen), "mean": torch.stack([labels.double(), torch.zeros(40)], 1), "labels": labels})
    found = CRITERIA["mutual_information"].saliency(Evidence(told))
    np.testing.assert_allclose(found, [np.log(4), 0], atol=1e-12)


def test_obd_is_half_the_curvature_in_closed_form(evidence: Evidence) -> None:
    np.testing.assert_allclose(CRITERIA["obd"].saliency(evidence), closed_form.CURVATURE.mean(0) / 2, rtol=1e-5)


def test_random_is_seeded_and_uniform(evidence: Evidence) -> None:
    a, b = (CRITERIA["random"].saliency(Evidence(evidence.seen, seed=s)) for s in (0, 1))
    assert torch.equal(a, CRITERIA["random"].saliency(evidence))
    assert not torch.equal(a, b)


@pytest.mark.parametrize("name", CRITERIA)
@pytest.mark.parametrize("module", MODULES)
def test_every_criterion_gives_every_unit_of_every_network_a_finite_value(name: str, module: str) -> None:
    network, batches = at_hand(module), images(SHAPE)
    evidence = Evidence(observe(network, batches), curvature(network, batches))
    saliency = CRITERIA[name].saliency(evidence)
    assert saliency.shape == (len(network.units),)
    assert saliency.dtype == torch.float64
    assert saliency.isfinite().all()
    assert len(saliency.unique()) > 1


def test_score_leaves_out_what_the_evidence_does_not_suffice_for(evidence: Evidence) -> None:
    assert set(score(evidence)) == set(CRITERIA)
    assert set(CRITERIA) - set(score(Evidence(evidence.seen))) == {"obd"}


@pytest.mark.parametrize("criterion", CRITERIA.values(), ids=CRITERIA)
def test_every_criterion_states_formula_range_direction_and_source(criterion) -> None:
    text = criterion.saliency.__doc__
    assert "(units,)" in text
    assert "higher = keep" in text or criterion.name == "random"
    assert "s[u] =" in text or criterion.name == "random"
    assert criterion.summary.endswith(".")
    assert criterion.source
