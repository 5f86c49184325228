"""Progress: a stage's own way becomes its share of the whole's, however deep stages lie in each other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as some

from explorer.core.progress import Report, one_of, staying, within

SHARES = some.floats(0, 1)


class Told(list[tuple[float, str]]):
    """The share and the note of every report."""

    def __call__(self, done: int, total: int, note: str = "") -> None:
        self.append((done / total, note))


def test_a_stage_takes_the_whole_from_its_first_share_to_its_last() -> None:
    whole = Told()
    stage = within(whole, 0.2, 0.6)
    stage(0, 4, "")
    stage(1, 4, "a quarter")
    stage(4, 4, "")
    assert whole == [(0.2, ""), (0.3, "a quarter"), (0.6, "")]


def test_stages_lie_in_stages_and_each_says_where_it_is() -> None:
    whole = Told()
    one_of(one_of(whole, 1, 2, "lane 2"), 3, 4, "step 4")(1, 2, "loss")
    assert whole == [(pytest.approx((1 + (3 + 1 / 2) / 4) / 2, abs=1e-3), "lane 2; step 4; loss")]


def test_a_stage_without_anything_to_do_is_at_its_start() -> None:
    whole = Told()
    within(whole, 0.25, 1, "nothing")(0, 0, "")
    assert whole == [(0.25, "nothing")]


@given(SHARES, SHARES, some.lists(some.integers(0, 50), max_size=8))
def test_the_bar_never_goes_back_nor_leaves_the_stage(one: float, other: float, done: list[int]) -> None:
    first, last = sorted((one, other))
    whole = Told()
    for each in sorted(done):
        within(whole, first, last)(each, 50, "")
    shares = [share for share, _ in whole]
    assert shares == sorted(shares)
    assert all(first - 0.0005 <= share <= last + 0.0005 for share in shares)


def test_what_stays_tells_its_own_counts_or_the_given_words() -> None:
    whole = Told()
    staying(whole, 0.5)(3, 7, "images evaluated")
    staying(whole, 0.5, "half of the units left")(4, 7, "images evaluated")
    assert whole == [(0.5, "3 of 7 images evaluated"), (0.5, "half of the units left")]


@pytest.mark.parametrize("stage", [lambda report: within(report, 0, 1), lambda report: staying(report, 0.5)])
def test_whoever_listens_can_stop_a_stage(stage: Callable[[Report], Report]) -> None:
    def stop(done: int, total: int, note: str = "") -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stage(stop)(1, 2, "")
