"""Scaling, ranks and correlations against scipy and arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from networks_at_hand import at_hand
from scipy import stats

from explorer.errors import BadInput
from explorer.ranking import correlate, correlation_table, l2, rank_statistics, ranks, regularise, scaled, spearman

UNITS = at_hand("plain").units  # layers of 5 and 6 units
VALUES = torch.tensor([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0, 3.0, 5.0], dtype=torch.float64)
OTHER = torch.arange(11, dtype=torch.float64).roll(4)


def test_l2_gives_every_layer_unit_length() -> None:
    expected = np.concatenate([VALUES[:5] / np.sqrt(52), VALUES[5:] / np.sqrt(180)])
    np.testing.assert_allclose(l2(VALUES, UNITS), expected)


def test_l2_leaves_a_layer_of_zeros_at_zero() -> None:
    values = torch.cat([torch.zeros(5), torch.ones(6)]).double()
    assert l2(values, UNITS).tolist() == [0.0] * 5 + [pytest.approx(1 / math.sqrt(6))] * 6


def test_flops_regularisation_is_equation_nine_in_megaflops() -> None:
    flops = torch.tensor([2e6] * 5 + [5e5] * 6, dtype=torch.float64)
    expected = VALUES - 1e-3 * torch.tensor([2.0] * 5 + [0.5] * 6)
    torch.testing.assert_close(regularise(VALUES, flops), expected)
    torch.testing.assert_close(scaled(VALUES, UNITS, "none", flops, 1e-3), expected)


def test_unknown_scaling_is_named() -> None:
    with pytest.raises(BadInput, match="Unknown scaling 'l3'; known are l2, none"):
        scaled(VALUES, UNITS, "l3")


def test_rank_one_is_the_most_important_and_ties_share_their_average() -> None:
    assert ranks(torch.tensor([1.0, 7.0, 7.0, 3.0])).tolist() == [4, 1.5, 1.5, 3]


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=3, max_size=30))
def test_spearman_equals_scipys_ties_included(pairs: list[tuple[int, int]]) -> None:
    a, b = torch.tensor(pairs, dtype=torch.float64).T
    found = spearman(a, b)
    if len(set(a.tolist())) < 2 or len(set(b.tolist())) < 2:
        assert math.isnan(found)
    else:
        ranked = np.corrcoef(stats.rankdata(a), stats.rankdata(b))[0, 1]
        assert found == pytest.approx(ranked, abs=1e-12)


def test_correlation_has_the_three_rows_of_table_one() -> None:
    found = correlate(VALUES, OTHER, UNITS)
    layers = [stats.spearmanr(VALUES[p], OTHER[p]).statistic for p in (slice(0, 5), slice(5, 11))]
    assert found.per_layer == pytest.approx(np.mean(layers))
    assert found.all_layers == pytest.approx(stats.spearmanr(VALUES, OTHER).statistic)
    assert found.all_layers_l2 == pytest.approx(stats.spearmanr(l2(VALUES, UNITS), OTHER).statistic)


def test_the_oracle_correlates_perfectly_with_itself() -> None:
    table = correlation_table({"oracle": OTHER}, OTHER, UNITS)
    assert table["oracle"].per_layer == pytest.approx(1) == table["oracle"].all_layers


def test_layers_without_a_defined_correlation_are_left_out_of_the_mean() -> None:
    flat = VALUES.clone()
    flat[:5] = 1
    assert correlate(flat, OTHER, UNITS).per_layer == pytest.approx(stats.spearmanr(VALUES[5:], OTHER[5:]).statistic)


def test_rank_statistics_are_the_five_numbers_of_each_layers_global_ranks() -> None:
    first, second = rank_statistics(VALUES, UNITS)
    global_ranks = stats.rankdata(-VALUES)
    for found, place in ((first, slice(0, 5)), (second, slice(5, 11))):
        expected = np.quantile(global_ranks[place], [0, 0.25, 0.5, 0.75, 1])
        five = [found.minimum, found.lower_quartile, found.median, found.upper_quartile, found.maximum]
        np.testing.assert_allclose(five, expected)
    assert (first.layer, second.layer) == ("0", "3")
