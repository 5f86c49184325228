"""Bars of a contest, read back from the figure."""

from __future__ import annotations

import pytest

from explorer.figures.contest_bars import ContestRow, Unpruned, contest_bars
from explorer.figures.style import alt_text

ROWS = [
    ContestRow("You", "#E69F00", (0.5, 0.4, 0.6), (0.75, 0.7, 0.8), (0.3, 0.2, 0.4), (0.9, 0.8, 0.95)),
    ContestRow("<i>%{x}", "#0072B2", (0.8, 0.7, 0.9), (0.5, 0.4, 0.6)),
]


def test_bars_and_whiskers_are_the_levels() -> None:
    loss, tuned, accuracy, tuned_accuracy = contest_bars(ROWS, Unpruned(0.2, 0.97), 256).data
    assert (loss.x, tuned.x, accuracy.x, tuned_accuracy.x) == ((0.5, 0.8), (0.3,), (0.75, 0.5), (0.9,))
    assert loss.error_x.array == pytest.approx((0.1, 0.1)) and loss.error_x.arrayminus == pytest.approx((0.1, 0.1))
    assert list(loss.marker.color) == [row.color for row in ROWS]


def test_axes_begin_at_zero_hold_all_whiskers_and_the_sentence_has_the_numbers() -> None:
    figure = contest_bars(ROWS[1:], Unpruned(2.0, 0.97), 256)
    assert len(figure.data) == 2
    assert figure.layout.xaxis.range == pytest.approx((0, 2.12))
    assert [line.x0 for line in figure.layout.shapes] == [2.0, 0.97]
    assert "256 images" in alt_text(figure) and "loss 0.8000 nats, 50.0% right" in alt_text(figure)
    assert "<i>" not in figure.data[0].y[0] and "%{x}" not in figure.data[0].y[0]
