"""Chance: what random rankings correlate with the oracle, by formula and by draws."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from networks_at_hand import at_hand
from of_demo import UNITS
from scipy import stats

from explorer import open_network
from explorer.data import open_images
from explorer.networks.load import batches_for
from explorer.scoring.oracle import oracle
from explorer.study.chance import of_chance


@pytest.fixture(scope="module")
def of_demo() -> dict:
    """The demo with the oracle of a few images."""
    network = open_network("demo")
    exact = oracle(network, batches_for(network, open_images("demo"), "calibration", 4))
    return of_chance(network.units, exact.oracle_abs, 200, 0)


@pytest.mark.parametrize("measure", ["per_layer", "all_layers"])
def test_on_the_demo_zero_lies_in_the_interval_of_randoms_correlation(of_demo: dict, measure: str) -> None:
    found = of_demo[measure]
    assert found["zero"] and found["interval"][0] <= 0 <= found["interval"][1]
    assert found["expected"][0] <= found["value"] <= found["expected"][1]
    assert found["draws"] == 200
    assert found["interval"][1] - found["interval"][0] < 0.04  # narrow enough to say something


def test_the_spread_is_that_of_the_exact_null_distribution(of_demo: dict) -> None:
    widths, z = [len(layer) for layer in open_network("demo").units.layers], stats.norm.ppf(0.975)
    assert of_demo["all_layers"]["expected"][1] == pytest.approx(z / (sum(widths) - 1) ** 0.5)
    assert of_demo["per_layer"]["expected"][1] == pytest.approx(z * sum(1 / (w - 1) for w in widths) ** 0.5 / 6)


def test_draws_spread_as_the_formula_says() -> None:
    units = at_hand("plain").units
    found = of_chance(units, torch.arange(len(units)).double(), 2000, 3)["all_layers"]
    half = (found["interval"][1] - found["interval"][0]) / 2
    assert half == pytest.approx(found["expected"][1] / 2000**0.5, rel=0.06)
    values = np.random.default_rng(0).random(8)
    assert stats.t.interval(0.95, 7, values.mean(), stats.sem(values)) == pytest.approx(_interval(values))


def _interval(values: np.ndarray) -> list[float]:
    from explorer.study.chance import _told

    return _told(values, None)["interval"]


def test_layers_without_a_correlation_do_not_count() -> None:
    units = at_hand("plain").units
    flat = torch.cat([torch.ones(5), torch.arange(6)]).double()
    found = of_chance(units, flat, 10, 0)["per_layer"]
    assert found["expected"][1] == pytest.approx(stats.norm.ppf(0.975) / 5**0.5)


def test_after_l2_chance_itself_correlates_where_narrow_layers_matter_more() -> None:
    units = open_network("demo").units
    by_depth = (
        -units.layer_index.double() + 0.01 * torch.rand(UNITS, generator=torch.Generator().manual_seed(0)).double()
    )
    found = of_chance(units, by_depth, 100, 0)
    assert found["all_layers"]["zero"]
    assert found["all_layers_l2"]["interval"][0] > 0.1 and found["all_layers_l2"]["expected"] is None
