"""Ranks, their five numbers, and overlaps, against arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from values import FIRST, SECOND, UNITS, VALUES

from explorer.networks.units import none_removed
from explorer.pruning.plan import remove_next
from explorer.scoring.ranking import overlap, overlap_rows, rank_statistics, ranks

RISING = torch.arange(11, dtype=torch.float64)


def test_rank_one_is_the_most_important_and_ties_share_their_average() -> None:
    assert ranks(torch.tensor([1.0, 7.0, 7.0, 3.0])).tolist() == [4, 1.5, 1.5, 3]


def test_rank_statistics_are_the_five_numbers_of_each_layers_global_ranks() -> None:
    first, second = rank_statistics(VALUES, UNITS)
    global_ranks = stats.rankdata(-VALUES)
    for found, place in ((first, FIRST), (second, SECOND)):
        expected = np.quantile(global_ranks[place], [0, 0.25, 0.5, 0.75, 1])
        five = [found.minimum, found.lower_quartile, found.median, found.upper_quartile, found.maximum]
        np.testing.assert_allclose(five, expected)
    assert (first.layer, second.layer) == ("0", "3")


@pytest.mark.parametrize(
    ("other", "share", "expected"),
    [(RISING, 3 / 11, 1.0), (-RISING, 3 / 11, 0.0), (-RISING, 8 / 11, 5 / 8), (RISING.roll(1), 0.01, 0.0)],
)
def test_overlap_is_the_share_of_units_that_both_would_remove_first(other, share, expected) -> None:
    assert overlap(RISING, other, share) == expected


def test_rows_overlap_row_by_row() -> None:
    a, b = torch.stack([RISING, VALUES, -RISING]), torch.stack([VALUES, VALUES, RISING])
    expected = [overlap(x, y, 0.4) for x, y in zip(a, b, strict=True)]
    np.testing.assert_array_equal(overlap_rows(a.numpy(), b.numpy(), 0.4), expected)


def test_ties_go_as_a_plan_takes_them() -> None:
    tied = torch.tensor([1.0, 0, 0, 1, 1, 0, 1, 1, 1, 1, 1])
    plan = remove_next(UNITS, none_removed(UNITS), tied, 2)
    taken = torch.where(plan, 0.0, 1.0)
    assert overlap(taken, tied, 2 / 11) == 1
