from __future__ import annotations

import numpy as np
import pytest

from explorer.core.errors import BadInput
from explorer.figures.curve import curve
from explorer.figures.series import MARKS, SCRATCH, Series
from explorer.figures.style import CRITERION_STYLES, alt_text, criterion_style

X, Y = np.array([1.0, 0.9, 0.5]), np.array([0.98, 0.97, 0.6])


def test_points_ring_and_reference() -> None:
    fig = curve([Series("taylor", X, Y)], original=0.98, current=(0.9, 0.97))
    line, ring = fig.data
    assert line.x == pytest.approx(X)
    assert line.y == pytest.approx(Y)
    assert line.line.color == criterion_style("taylor").color
    assert (ring.x[0], ring.y[0]) == pytest.approx((0.9, 0.97))
    assert "open" in ring.marker.symbol
    assert fig.layout.shapes[0].y0 == 0.98
    assert fig.layout.annotations[0].text == "original 98.0%"
    assert fig.layout.xaxis.range[0] > 1 > 0.5 > fig.layout.xaxis.range[1]
    assert fig.layout.yaxis.title.text == "accuracy, before fine-tuning"
    assert alt_text(fig) == (
        "Accuracy against units left. Taylor, before fine-tuning: 98.0% with 100% left, 60.0% with 50%."
        " Now 97.0% with 90% left."
    )


def test_before_and_after_fine_tuning_differ_without_colour() -> None:
    fig = curve([Series("taylor", X, Y), Series("taylor", X, Y, fine_tuned=True)])
    assert [t.marker.symbol for t in fig.data] == ["square-open", "square"]
    assert [t.name for t in fig.data] == ["Taylor, before fine-tuning", "Taylor, after fine-tuning"]
    assert fig.layout.yaxis.title.text == "accuracy"


def test_points_of_one_line_say_each_what_was_done_to_the_network() -> None:
    stages = ["as loaded", "after fine-tuning", "pruned after fine-tuning"]
    mixed, other = Series("taylor", X, Y, label="this run", stages=stages), Series("weight", X, Y)
    line, dots, beside, *key = curve([mixed, other]).data
    assert list(dots.x) == pytest.approx([0.5]) and dots.showlegend is False
    assert line.marker.symbol == ("square-open", "square", "square-open-dot")
    assert [title for title, _ in line.customdata] == [f"<b>this run, {stage}</b>" for stage in stages]
    assert line.name == "this run" and beside.name.endswith(", before fine-tuning")
    assert [(entry.name, entry.marker.symbol) for entry in key] == [
        ("before fine-tuning", "circle-open"),
        ("after fine-tuning", "circle"),
        ("pruned after fine-tuning", "circle-open-dot"),
    ]


@pytest.mark.parametrize("criterion", [*CRITERION_STYLES, *(f"own {n}" for n in range(60)), SCRATCH])
def test_every_line_can_show_every_stage(criterion: str) -> None:
    line = curve([Series(criterion, np.ones(len(MARKS)), np.ones(len(MARKS)), stages=list(MARKS))]).data[0]
    assert len(set(line.marker.symbol)) == 3


def test_a_line_that_is_alike_below_the_original_needs_no_key() -> None:
    stages = ["as loaded", "before fine-tuning", "before fine-tuning"]
    fig = curve([Series("taylor", X, Y, stages=stages), Series("weight", X, Y)])
    assert len(fig.data) == 2 and fig.layout.yaxis.title.text == "accuracy, before fine-tuning"


def test_a_second_criterion_has_another_dash_or_colour() -> None:
    fig = curve(
        [Series("taylor", X, Y), Series("taylor_mean", X, Y), Series("weight", X, Y, label="w²")], quantity="loss"
    )
    assert len({(t.line.color, t.line.dash) for t in fig.data}) == 3
    assert [t.name for t in fig.data] == ["Taylor", "Taylor, abs after the mean", "w²"]
    assert "loss (nats)" in fig.data[0].hovertemplate


def test_a_band_goes_out_and_back_and_a_left_branch_fades() -> None:
    spread = ["95 % interval of 40 images"] * 3
    fig = curve([Series("obd", X, Y, low=Y - 0.1, high=Y + 0.1, spread=spread, faded=True)], against="flops")
    band, line = fig.data
    assert band.y == pytest.approx([0.88, 0.87, 0.5, 0.7, 1.07, 1.08])
    assert band.x == pytest.approx([1.0, 0.9, 0.5, 0.5, 0.9, 1.0])
    assert line.customdata[2] == ["<b>OBD, before fine-tuning</b>", "<br>95 % interval of 40 images: 50.0% to 70.0%"]
    assert line.opacity < 1
    assert line.showlegend is False
    assert fig.layout.xaxis.title.text == "FLOPs left"


@pytest.mark.parametrize(("worst", "low"), [(0.99, 0.5), (0.5, 0.5), (0.49, 0.0)])
def test_an_axis_of_accuracies_never_shows_less_than_half_of_the_scale(worst: float, low: float) -> None:
    start, end = curve([Series("taylor", X, np.array([0.995, worst, np.nan]))]).layout.yaxis.range
    assert low - 0.05 < start < low and 1 < end < 1.05


def test_an_axis_of_losses_starts_at_zero() -> None:
    assert curve([Series("taylor", X, Y)], quantity="loss").layout.yaxis.rangemode == "tozero"


def test_many_series_move_the_legend_beside_the_plot() -> None:
    names = ["oracle", "taylor", "obd", "weight", "random"]
    assert curve([Series(n, X, Y) for n in names]).layout.legend.orientation == "v"
    assert curve([Series(n, X, Y) for n in names[:4]]).layout.legend.orientation == "h"


def test_a_curve_without_points_is_an_empty_plot() -> None:
    fig = curve([])
    assert len(fig.data) == 0
    assert alt_text(fig) == "Accuracy against units left. "


@pytest.mark.parametrize("wrong", [{"quantity": "speed"}, {"against": "time"}])
def test_unknown_axes_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(BadInput, match="one of accuracy, loss against one of units, parameters, flops, latency, not"):
        curve([Series("taylor", X, Y)], **wrong)
