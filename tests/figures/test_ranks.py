from __future__ import annotations

import numpy as np
import pytest

from explorer.core.errors import BadInput
from explorer.figures.rank_scatter import RankedUnits, rank_scatter
from explorer.figures.rank_statistics import LayerRanks, RankPanel, rank_statistics
from explorer.figures.style import alt_text, criterion_style

ORACLE = [LayerRanks("conv1", np.array([1, 2, 3, 4, 9.0])), LayerRanks("conv2", np.array([5, 6, 7, 8, 10.0]), True)]


def test_whiskers_boxes_and_medians_by_arithmetic() -> None:
    fig = rank_statistics([RankPanel("oracle", ORACLE)])
    whiskers, boxes, medians, pooled = fig.data
    assert whiskers.y[:6] == pytest.approx([1, 2, np.nan, 4, 9, np.nan], nan_ok=True)
    assert (boxes.base.tolist(), boxes.y.tolist()) == ([2, 6], [2, 2])
    assert medians.y.tolist() == [3, 7]
    assert pooled.x.tolist() == [1]
    assert boxes.marker.pattern.shape == ("", "/")
    assert "median rank 7<br>quartiles 6 to 8<br>best 5, worst 10<br>max-pooling follows" in medians.customdata[1]


def test_rank_one_is_on_top_and_said_so() -> None:
    fig = rank_statistics([RankPanel("oracle", ORACLE)])
    bottom, top = fig.layout.yaxis.range
    assert bottom > 10 > 1 > top
    assert "1 = most important" in fig.layout.yaxis.title.text
    assert "the best median rank is 3 in conv1, the worst 7 in conv2" in alt_text(fig)


def test_two_panels_share_the_axis_and_name_the_legend_once() -> None:
    fig = rank_statistics([RankPanel("oracle", ORACLE), RankPanel("taylor", ORACLE[::-1])])
    assert fig.layout.yaxis2.matches == "y"
    assert fig.layout.yaxis2.range == fig.layout.yaxis.range
    assert [note.text for note in fig.layout.annotations] == ["oracle", "Taylor"]
    assert sum(t.name == "median" and t.showlegend for t in fig.data) == 1
    assert fig.data[1].marker.line.color == criterion_style("oracle").color
    assert fig.data[5].marker.line.color == criterion_style("taylor").color


def test_many_layers_are_named_sparsely() -> None:
    layers = [LayerRanks(f"l{i}", np.arange(1, 4)) for i in range(53)]
    fig = rank_statistics([RankPanel("oracle", layers)])
    assert list(fig.layout.xaxis.ticktext) == [f"l{i}" for i in range(0, 53, 2)]
    assert list(fig.layout.xaxis.tickvals) == list(range(0, 53, 2))


def test_ranks_without_layers_are_refused() -> None:
    for panels in ([], [RankPanel("oracle", [])]):
        with pytest.raises(BadInput, match="at least one panel, and each panel at least one layer"):
            rank_statistics(panels)


def test_scatter_keeps_each_unit_with_its_layer() -> None:
    oracle, ranks = np.array([3.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0])
    ranked = RankedUnits(oracle, ranks, np.array([0, 1, 1]), ["a", "b"], np.array([7, 0, 4]))
    fig = rank_scatter(ranked, criterion="obd", spearman=-0.5)
    points = fig.data[0]
    drawn = sorted(zip(points.customdata, points.x, points.y, points.text, points.marker.color, strict=True))
    assert drawn == [(0, 3, 1, "a, channel 7", 0), (1, 1, 2, "b, channel 0", 1), (2, 2, 3, "b, channel 4", 1)]
    assert fig.layout.title.text == "Spearman -0.50"
    assert "OBD against rank by the oracle for 3 units in 2 layers: Spearman correlation -0.50" in alt_text(fig)
    assert fig.layout.xaxis.range == fig.layout.yaxis.range and fig.layout.xaxis.range[0] < fig.layout.xaxis.range[1]


def test_scatter_of_vgg16_is_float32() -> None:
    ranks = np.arange(1, 4225)
    fig = rank_scatter(RankedUnits(ranks, ranks, np.zeros(4224, int), ["a"]), criterion="taylor", spearman=1.0)
    assert fig.data[0].x.dtype == np.float32
    assert len(fig.to_json()) < 400_000


def test_scatter_refuses_unequal_lengths() -> None:
    with pytest.raises(BadInput, match="one length, not 2, 1 and 2"):
        RankedUnits(np.ones(2), np.ones(1), np.ones(2, int), ["a"])
