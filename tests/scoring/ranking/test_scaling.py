"""Scalings against arithmetic, and what all of them have in common."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats
from values import FIRST, SECOND, UNITS, VALUES

from explorer.core.errors import BadInput
from explorer.scoring.ranking import SCALINGS, l2, scaled

BY_ARITHMETIC = {
    "none": VALUES,
    "l1": np.concatenate([VALUES[FIRST] / 14, VALUES[SECOND] / 30]),
    "l2": np.concatenate([VALUES[FIRST] / np.sqrt(52), VALUES[SECOND] / np.sqrt(180)]),
    "max": np.concatenate([VALUES[FIRST] / 5, VALUES[SECOND] / 9]),
    "standard": np.concatenate([(VALUES[FIRST] - 2.8) / np.sqrt(2.56), (VALUES[SECOND] - 5) / np.sqrt(5)]),
    "rank": np.concatenate([np.array([2.5, 1, 3.5, 1, 4.5]) / 5, np.array([5.5, 0.5, 4.5, 3, 1.5, 3]) / 6]),
}


@pytest.mark.parametrize("name", SCALINGS)
def test_scaling_is_its_formula_layer_by_layer(name: str) -> None:
    np.testing.assert_allclose(SCALINGS[name](VALUES, UNITS), BY_ARITHMETIC[name])


@pytest.mark.parametrize("name", SCALINGS)
def test_order_within_a_layer_stays(name: str) -> None:
    signed = VALUES - 4
    found = SCALINGS[name](signed, UNITS)
    for place in (FIRST, SECOND):
        np.testing.assert_array_equal(stats.rankdata(found[place]), stats.rankdata(signed[place]))


@pytest.mark.parametrize(
    ("name", "expected"), [("none", 0), ("l1", 0), ("l2", 0), ("max", 0), ("standard", 0), ("rank", 0.5)]
)
def test_a_layer_of_zeros_stays_finite(name: str, expected: float) -> None:
    found = SCALINGS[name](torch.cat([torch.zeros(5), torch.ones(6)]).double(), UNITS)
    assert found[FIRST].tolist() == [expected] * 5
    assert found.isfinite().all()


def test_equal_saliencies_have_standard_score_zero_whatever_rounding_does() -> None:
    assert torch.full((6,), 0.1, dtype=torch.float64).std(correction=0) > 0
    assert SCALINGS["standard"](torch.full((11,), 0.1, dtype=torch.float64), UNITS).tolist() == [0.0] * 11


@pytest.mark.parametrize("name", SCALINGS)
def test_removed_units_stay_at_infinity_and_do_not_count(name: str) -> None:
    left = torch.tensor([True, False, True, True, True, *[True] * 6])
    found = SCALINGS[name](VALUES.where(left, math.inf), UNITS)
    assert found[1] == math.inf
    torch.testing.assert_close(found[SECOND], SCALINGS[name](VALUES, UNITS)[SECOND])
    four = VALUES[FIRST][left[FIRST]]
    expected = {
        "none": four,
        "l1": four / four.sum(),
        "l2": four / four.norm(),
        "max": four / four.max(),
        "standard": (four - four.mean()) / four.std(correction=0),
        "rank": (torch.tensor([2.0, 3, 1, 4]) - 0.5).double() / 4,
    }
    torch.testing.assert_close(found[FIRST][left[FIRST]], expected[name])


@pytest.mark.parametrize("name", SCALINGS)
def test_many_saliencies_at_once_are_scaled_each_by_itself(name: str) -> None:
    rows = torch.stack([VALUES, -VALUES, VALUES.roll(3)])
    expected = torch.stack([SCALINGS[name](row, UNITS) for row in rows])
    torch.testing.assert_close(SCALINGS[name](rows, UNITS), expected)


def test_charges_come_off_the_scaled_saliency() -> None:
    charge = torch.arange(11, dtype=torch.float64) / 100
    torch.testing.assert_close(scaled(VALUES, UNITS, "l2", charge), l2(VALUES, UNITS) - charge)


def test_unknown_scaling_is_named() -> None:
    with pytest.raises(BadInput, match="Unknown scaling 'l3'; known are none, l1, l2, max, standard, rank"):
        scaled(VALUES, UNITS, "l3")
