from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from explorer.core.errors import BadInput
from explorer.core.palette import KEPT, REMOVED
from explorer.figures.distributions import LayerValues, distributions
from explorer.figures.style import alt_text


def trace(fig: go.Figure, name: str, kind: str = "bar") -> go.Bar:
    return next(t for t in fig.data if t.name == name and t.type == kind)


def test_bins_split_at_the_threshold(two_layers: list[LayerValues]) -> None:
    fig = distributions(two_layers, criterion="Taylor", value_unit="nats", bins=3)
    removed, kept = trace(fig, "removed"), trace(fig, "kept")
    assert (removed.marker.color, kept.marker.color) == (REMOVED, KEPT)
    assert removed.x == pytest.approx([-1.5, -2.5])  # 0.02 lies in the second bin, 0.001 in the first
    assert removed.base == pytest.approx([1.0, 0.0])  # conv1 is the upper row
    assert kept.x == pytest.approx([-0.5])
    assert kept.y[0] == pytest.approx(0.76)  # two units, the row's tallest bin
    assert removed.y[0] == pytest.approx(0.38)
    assert "1 of 3 units removed" in removed.customdata[0]
    assert fig.layout.xaxis.title.text == "Taylor (nats)"


def test_zeros_have_a_place_and_a_number_of_their_own(two_layers: list[LayerValues]) -> None:
    fig = distributions(two_layers, criterion="Taylor", bins=3)
    zeros = next(t for t in fig.data if t.type == "bar" and t.name is None)
    assert zeros.x[0] < -3.0
    assert zeros.marker.color == (REMOVED,)
    assert zeros.customdata[0] == "<b>conv2</b><br>2 of 3 units are exactly 0"
    assert fig.layout.xaxis.ticktext[0] == "0"
    assert any(t.type == "scatter" and t.text == (" 2",) for t in fig.data)


def test_medians_and_quartiles_are_exact() -> None:
    fig = distributions([LayerValues("conv", np.array([0.0, 1.0, 2.0, 3.0, 10.0]))], criterion="weight")
    marks = next(t for t in fig.data if t.name == "quartiles, median" and t.mode == "markers")
    line = next(t for t in fig.data if t.name == "quartiles, median" and t.mode == "lines")
    assert marks.x.tolist() == [2.0]
    assert line.x[:2].tolist() == [1.0, 3.0]
    assert marks.customdata[0] == "<b>conv</b><br>median 2<br>quartiles 1 to 3"
    assert not any(t.name in ("removed", "threshold") for t in fig.data)


def test_a_mask_says_what_goes_where_a_threshold_does_not() -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0])
    fig = distributions([LayerValues("conv", values, removed=np.array([0, 1, 0, 1], bool))], criterion="x", bins=4)
    assert trace(fig, "removed").x == pytest.approx([2.5, 3.5])
    assert trace(fig, "kept").x == pytest.approx([1.5, 3.5])
    assert trace(fig, "kept").base[1] == pytest.approx(0.38)  # stands on the removed unit of its bin


def test_the_sentence_names_the_cheapest_layer(two_layers: list[LayerValues]) -> None:
    alt = alt_text(distributions(two_layers, criterion="Taylor"))
    assert "6 units in 2 layers, logarithmic scale" in alt
    assert "lowest median is 0 in conv2, the highest 0.2 in conv1; 4 units removed" in alt


def test_sixty_layers_fit_and_every_unit_is_drawn() -> None:
    rng = np.random.default_rng(0)
    layers = [LayerValues(f"layer{i}", rng.lognormal(0, 2, 64).astype(np.float32)) for i in range(60)]
    fig = distributions(layers, criterion="Taylor")
    assert 1000 < fig.layout.height < 1300
    assert list(fig.layout.yaxis.ticktext) == [f"layer{i}" for i in range(60)]
    counts = [int(text.split("<br>")[1].split()[0]) for text in trace(fig, "kept").customdata]
    assert sum(counts) == 60 * 64
    assert trace(fig, "kept").y.dtype == np.float32


def test_nothing_to_show_is_refused() -> None:
    with pytest.raises(BadInput, match="at least one layer, and at least one unit"):
        distributions([], criterion="x")
    with pytest.raises(BadInput, match="at least one unit in each"):
        distributions([LayerValues("conv", np.array([]))], criterion="x")
