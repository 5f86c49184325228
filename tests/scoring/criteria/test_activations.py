"""Criteria of the feature maps against arithmetic and independent references."""

from __future__ import annotations

import dataclasses

import closed_form
import numpy as np
import pytest
import torch
from networks_at_hand import SHAPE, at_hand, images
from scipy import stats

from explorer.scoring.criteria import CRITERIA
from explorer.scoring.criteria.activations import BINS
from explorer.scoring.evidence import Evidence, gather
from explorer.scoring.observe import observe

EXPECTED = {
    "activation_mean": closed_form.Z.mean(0),
    "activation_std": closed_form.Z.std(0),
    "apoz": (closed_form.Z > 0).mean(0),
    "hrank": (closed_form.Z != 0).mean(0),  # one pixel
}


@pytest.mark.parametrize("name", EXPECTED)
def test_criterion_in_closed_form(name: str) -> None:
    evidence = gather(closed_form.network(), closed_form.batches(), CRITERIA[name].needs)
    np.testing.assert_allclose(CRITERIA[name].saliency(evidence), EXPECTED[name], rtol=1e-5)


def test_mutual_information_against_a_contingency_table() -> None:
    network, batches = at_hand("plain"), images(SHAPE, n=200)
    seen = observe(network, batches)
    found = CRITERIA["mutual_information"].saliency(Evidence(network.units, seen=seen))
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
    told = dataclasses.replace(seen, mean=torch.stack([labels.double(), torch.zeros(40)], 1), labels=labels)
    found = CRITERIA["mutual_information"].saliency(Evidence(seen.units, seen=told))
    np.testing.assert_allclose(found, [np.log(4), 0], atol=1e-12)


def test_mutual_information_does_not_hang_on_how_classes_are_numbered() -> None:
    seen = observe(at_hand("plain"), images(SHAPE, n=40))
    spread = dataclasses.replace(seen, labels=seen.labels * 300 + 7)
    function = CRITERIA["mutual_information"].function
    torch.testing.assert_close(function(spread), function(seen))
