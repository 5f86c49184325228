from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from explorer.figures.race_curve import race_curve
from explorer.figures.style import alt_text
from explorer.pruning.race_bands import RaceBand

X, Y, SEEDS = np.array([1.0, 0.75, 0.5]), np.array([0.97, 0.95, 0.9]), np.array([3, 3, 2])
TAYLOR = RaceBand("taylor", True, False, X, Y, np.array([0.97, 0.94, 0.85]), np.array([0.97, 0.96, 0.92]), SEEDS)


def test_a_band_lies_behind_the_line_of_its_medians_and_says_of_how_many_seeds_it_is() -> None:
    fig = race_curve([TAYLOR], "accuracy", "parameters")
    band, line = fig.data
    assert (band.fill, band.mode) == ("toself", "none")
    assert band.y == pytest.approx([0.97, 0.94, 0.85, 0.92, 0.96, 0.97])
    assert line.x == pytest.approx([1.0, 0.75, 0.5])
    assert line.y == pytest.approx([0.97, 0.95, 0.9])
    assert line.customdata[2][1] == "<br>least to largest of 2 seeds: 85.0% to 92.0%"
    assert line.hovertemplate.endswith("%{customdata[1]}<extra></extra>")
    assert fig.layout.shapes[0].y0 == 0.97
    assert "parameters left" in alt_text(fig) and fig.layout.yaxis.range[0] < 0.85


def test_before_fine_tuning_has_open_marks_and_a_thin_line_beside_after() -> None:
    after, before = (
        race_curve([TAYLOR, replace(TAYLOR, fine_tuned=False)], "accuracy", "units").data[i] for i in (1, 3)
    )
    assert (after.marker.symbol, before.marker.symbol) == ("square", "square-open")
    assert after.line.width > before.line.width
    assert (after.name, before.name) == ("Taylor, after fine-tuning", "Taylor, before fine-tuning")


def test_one_seed_has_no_band() -> None:
    (line,) = race_curve([replace(TAYLOR, seeds=np.array([1, 1, 1]))], "loss", "flops").data
    assert {ends for _, ends in line.customdata} == {""}


def test_latency_may_rise_and_what_was_not_timed_is_left_out() -> None:
    slower = replace(TAYLOR, x=np.array([1.0, 1.2, 0.8]))
    fig = race_curve([slower, replace(slower, selector="random", x=np.full(3, np.nan))], "accuracy", "latency")
    assert [trace.name for trace in fig.data if trace.name] == ["Taylor"]
    assert fig.layout.xaxis.range[0] > 1.2 and fig.layout.xaxis.title.text.startswith("measured latency")
    assert not race_curve([], "accuracy", "latency").data
