"""Correlations against scipy and arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from values import FIRST, OTHER, SECOND, UNITS, VALUES

from explorer.core.errors import BadInput
from explorer.scoring.ranking import (
    COEFFICIENTS,
    GROUPS,
    SCALINGS,
    correlate,
    correlation_table,
    kendall,
    kendall_rows,
    measures,
    overlap,
    spearman,
    spearman_rows,
)

OF_SCIPY = {spearman: stats.spearmanr, kendall: stats.kendalltau}
OF_ROWS = {spearman: spearman_rows, kendall: kendall_rows}


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=2, max_size=40))
@pytest.mark.parametrize("coefficient", OF_SCIPY)
def test_correlation_equals_scipys_ties_included(coefficient, pairs: list[tuple[int, int]]) -> None:
    a, b = torch.tensor(pairs, dtype=torch.float64).T
    found = coefficient(a, b)
    if len(set(a.tolist())) < 2 or len(set(b.tolist())) < 2:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(OF_SCIPY[coefficient](a, b).statistic, abs=1e-12)


@pytest.mark.parametrize("n", [2, 3, 8, 129, 448])
@pytest.mark.parametrize("coefficient", OF_SCIPY)
def test_many_rankings_at_once_are_correlated_row_by_row(coefficient, n: int) -> None:
    generator = np.random.default_rng(n)
    a = generator.normal(size=(4, n))
    b = (a + generator.normal(size=(4, n))).round(1)
    expected = [OF_SCIPY[coefficient](x, y).statistic for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(OF_ROWS[coefficient](a, b), expected, atol=1e-12)


def test_correlations_are_symmetric_and_know_no_scale() -> None:
    for coefficient in OF_SCIPY:
        assert coefficient(VALUES, OTHER) == pytest.approx(coefficient(OTHER, VALUES), abs=1e-15)
        assert coefficient(VALUES, OTHER) == coefficient(VALUES.exp(), OTHER**3)
        assert coefficient(VALUES, -VALUES) == pytest.approx(-1)


def test_a_single_unit_has_no_correlation() -> None:
    assert all(math.isnan(coefficient(VALUES[:1], OTHER[:1])) for coefficient in OF_SCIPY)


@pytest.mark.parametrize(("prefix", "reference"), [("", stats.spearmanr), ("kendall_", stats.kendalltau)])
@pytest.mark.parametrize("scaling", [name for name in SCALINGS if name != "none"])
def test_measures_are_per_layer_all_and_scaled(prefix: str, reference, scaling: str) -> None:
    found = correlate(VALUES, OTHER, UNITS, scaling)
    layers = [reference(VALUES[p], OTHER[p]).statistic for p in (FIRST, SECOND)]
    assert found[f"{prefix}per_layer"] == pytest.approx(np.mean(layers))
    assert found[f"{prefix}all_layers"] == pytest.approx(reference(VALUES, OTHER).statistic)
    expected = reference(SCALINGS[scaling](VALUES, UNITS), OTHER).statistic
    assert found[f"{prefix}all_layers_{scaling}"] == pytest.approx(expected)


def test_overlap_is_of_a_tenth_of_the_units_raw_and_scaled() -> None:
    found = correlate(VALUES, OTHER, UNITS)
    assert found["overlap_all_layers"] == overlap(OTHER, VALUES, 0.1)
    assert found["overlap_all_layers_l2"] == overlap(OTHER, SCALINGS["l2"](VALUES, UNITS), 0.1)


def test_every_measure_belongs_to_a_group_and_has_a_name_of_its_own() -> None:
    for scaling in SCALINGS:
        found = measures(scaling)
        assert len({m.name for m in found}) == len(found) == (5 if scaling == "none" else 8)
        assert {m.group for m in found} == set(GROUPS) == set(COEFFICIENTS)
        assert all(m.name.endswith(scaling) for m in found if m.scaling != "none")


def test_the_oracle_agrees_perfectly_with_itself() -> None:
    found = correlation_table({"oracle": OTHER}, OTHER, UNITS, "none")["oracle"]
    assert list(found.values()) == pytest.approx([1] * len(found))


def test_layers_without_a_defined_correlation_are_left_out_of_the_mean() -> None:
    flat = VALUES.clone()
    flat[FIRST] = 1
    found = correlate(flat, OTHER, UNITS)
    assert found["per_layer"] == pytest.approx(stats.spearmanr(VALUES[SECOND], OTHER[SECOND]).statistic)
    assert math.isnan(correlate(torch.ones(11).double(), OTHER, UNITS)["kendall_per_layer"])


def test_unknown_scaling_is_named() -> None:
    with pytest.raises(BadInput, match="Unknown scaling 'l3'"):
        correlate(VALUES, OTHER, UNITS, "l3")
