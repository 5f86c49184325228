"""What of Fig. 2 holds, by ranks written out here."""

from __future__ import annotations

from typing import Any

import pytest

from explorer.study.rank_table import _findings


def layers(medians: list[float], pooled: set[int], low: float = 1, high: float = 100) -> list[dict[str, Any]]:
    return [
        {"layer": str(i), "median": median, "minimum": low, "maximum": high, "pooled": i in pooled}
        for i, median in enumerate(medians)
    ]


@pytest.mark.parametrize(
    ("medians", "pooled", "falls", "matter"),
    [
        ([10, 20, 30, 40], {1}, True, False),  # 20 is the mean of its neighbours, and not better
        ([10, 15, 30, 25, 50], {1, 3}, True, True),
        ([10, 15, 30, 45, 50], {1, 3}, True, False),
        ([40, 30, 20, 10], set(), False, None),
        ([10, 20, 30], {2}, True, None),  # the last has no neighbour behind it
    ],
)
def test_depth_and_pooling(medians: list[float], pooled: set[int], falls: bool, matter: bool | None) -> None:
    first, second, _ = _findings(layers(medians, pooled), 100)
    assert first.holds is falls and second.holds is matter


@pytest.mark.parametrize(("low", "high", "holds"), [(25, 75, True), (26, 100, False), (1, 74, False)])
def test_every_layer_spans_the_ranks_or_not(low: float, high: float, holds: bool) -> None:
    assert _findings(layers([30, 40, 50], set(), low, high), 100)[2].holds is holds
