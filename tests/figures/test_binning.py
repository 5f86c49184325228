from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from explorer.core.errors import BadInput
from explorer.figures.binning import scale_for


def test_three_decades_are_logarithmic_with_zeros_apart() -> None:
    scale = scale_for(np.array([0.0, 0.0, 0.001, 0.01, 0.1, 1.0]), bins=3)
    assert scale.log
    assert scale.edges == pytest.approx([0.001, 0.01, 0.1, 1.0])
    assert scale.count(np.array([0.0, 0.005, 0.5, 1.0])).tolist() == [1, 0, 2]
    assert scale.zeros(np.array([0.0, 0.005, 0.0])) == 2
    assert scale.ticks() == [(0.001, "10⁻³"), (0.01, "10⁻²"), (0.1, "0.1"), (1.0, "1")]


def test_two_decades_are_linear_from_zero() -> None:
    scale = scale_for(np.array([0.0, 0.01, 1.0]), bins=4)
    assert not scale.log
    assert scale.edges.tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert scale.zeros(np.array([0.0])) == 0
    assert [text for _, text in scale.ticks()] == ["0", "0.2", "0.4", "0.6", "0.8", "1"]


def test_signed_values_are_linear_whatever_they_span() -> None:
    scale = scale_for(np.array([-2.0, 1e-9, 2.0]), bins=4)
    assert not scale.log
    assert scale.edges.tolist() == [-2.0, -1.0, 0.0, 1.0, 2.0]


def test_a_stray_tiny_value_does_not_stretch_the_scale() -> None:
    scale = scale_for(np.array([1e-30, 0.5, 1.0]), bins=10)
    assert scale.edges[0] == pytest.approx(1e-10)
    assert scale.count(np.array([1e-30])).tolist() == [1] + [0] * 9


@pytest.mark.parametrize("values", [[0.0, 0.0], [3.0], [-1.0], [2.5, 2.5]])
def test_one_value_still_has_a_scale(values: list[float]) -> None:
    scale = scale_for(np.array(values))
    assert (np.diff(scale.edges) > 0).all()
    assert scale.count(np.array(values)).sum() == len(values)


@given(arrays(np.float32, st.integers(1, 60), elements=st.floats(-1e6, 1e6, width=32)))
def test_every_value_is_counted_once(values: np.ndarray) -> None:
    scale = scale_for(values)
    assert scale.count(values).sum() + scale.zeros(values) == len(values)
    assert (np.diff(scale.edges) > 0).all()
    assert all(scale.edges[0] * 0.999 <= v <= scale.edges[-1] * 1.001 for v, _ in scale.ticks() if scale.log)


@pytest.mark.parametrize(("values", "count"), [([], 0), ([1.0, np.nan, np.inf], 2)])
def test_values_that_are_not_finite_are_refused(values: list[float], count: int) -> None:
    with pytest.raises(BadInput, match=f"finite values, and {count} of the {len(values)}"):
        scale_for(np.array(values))
