from __future__ import annotations

import numpy as np
import pytest
from contrasts import contrast

from explorer.core.errors import BadInput
from explorer.core.palette import DARK, LIGHT, Theme
from explorer.figures.confusion import confusion
from explorer.figures.correlation import correlation
from explorer.figures.layer_overview import LayerCost, layer_overview
from explorer.figures.style import DIVERGING, alt_text
from explorer.figures.widths import DrawnWidth, widths


def written(fig: object) -> dict[tuple[object, object], str]:
    """The numbers in the cells: (x, y) -> text."""
    texts = [t for t in fig.data if t.type == "scatter"]  # type: ignore[attr-defined]
    return {(x, y): text for t in texts for x, y, text in zip(t.x, t.y, t.text, strict=True)}


def test_correlations_are_ordered_written_and_centred_at_zero() -> None:
    fig = correlation({"random": [0.01, -0.02, 0.0], "taylor": [0.73, 0.14, 0.73], "obd": [0.59, 0.65, np.nan]})
    heat = fig.data[0]
    assert list(heat.y) == ["random", "Taylor", "OBD"]  # plotly draws from the bottom
    assert (heat.zmin, heat.zmax) == (-1, 1)
    cells = written(fig)
    assert len(cells) == 9
    assert cells["per layer", "Taylor"] == "0.73"
    assert cells["all layers", "random"] == "−0.02"
    assert cells["all layers, l2", "OBD"] == "–"
    assert "OBD 0.59, 0.65, undefined; Taylor 0.73, 0.14, 0.73; random 0.01, -0.02, 0.00." in alt_text(fig)


def test_intervals_and_other_figures_than_spearmans_are_told() -> None:
    spans = {"taylor": [(0.7, 0.76), (0.1, 0.2), (0.6, 0.8)]}
    table = {"taylor": [0.73, 0.14, 0.73], "obd": [0.59, 0.65, np.nan]}
    fig = correlation(table, columns=("a", "b", "c"), what="Kendall correlation", intervals=spans)
    taylor, obd = fig.data[0].customdata  # plotly draws from the bottom
    assert taylor[0] == "<b>Taylor</b><br>a: 0.7300<br>95% of resampled images: 0.700 to 0.760"
    assert obd[0] == "<b>OBD</b><br>a: 0.5900"
    assert fig.data[0].colorbar.title.text == "Kendall"
    assert alt_text(fig).startswith("Kendall correlation with the oracle (a; b; c): ")


def test_the_diverging_scale_is_symmetric() -> None:
    places = [place for place, _ in DIVERGING]
    assert places == sorted(places)
    assert [1 - place for place in places[::-1]] == pytest.approx(places)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_the_pages_ink_reads_on_every_colour_of_the_diverging_scale(theme: Theme) -> None:
    ground = np.array([int(theme.ground[i : i + 2], 16) for i in (1, 3, 5)])
    for _, color in DIVERGING:
        *channels, alpha = (float(part) for part in color.removeprefix("rgba(").removesuffix(")").split(","))
        cell = alpha * np.array(channels) + (1 - alpha) * ground
        assert contrast(theme.ink, "#" + "".join(f"{round(c):02X}" for c in cell)) >= 4.5


def test_correlations_of_the_wrong_shape_are_refused() -> None:
    with pytest.raises(BadInput, match="at least one criterion"):
        correlation({})
    with pytest.raises(BadInput, match="needs 3 correlations, one for each of per layer, all layers"):
        correlation({"taylor": [0.1, 0.2]})


def test_confusion_writes_counts_and_marks_right_and_wrong() -> None:
    fig = confusion(np.array([[9, 1], [0, 4]]), ["cat", "dog"])
    assert fig.data[0].z == pytest.approx(np.array([[0.9**0.5, -(0.1**0.5)], [np.nan, 1.0]]), nan_ok=True)
    assert written(fig) == {(0, 0): "9", (1, 0): "1", (1, 1): "4"}
    assert alt_text(fig) == (
        "Confusion matrix of 2 classes: 13 of 14 images right. Most often cat is taken for dog, 1 times."
    )
    assert fig.data[0].customdata[0][1] == "true <b>cat</b>, predicted <b>dog</b><br>1 of 10 images, 10.0%"


def test_confusion_of_many_classes_writes_no_numbers_and_perfection_has_no_error() -> None:
    fig = confusion(np.eye(40, dtype=int), [str(i) for i in range(40)])
    assert written(fig) == {}
    assert alt_text(fig) == "Confusion matrix of 40 classes: 40 of 40 images right."


def test_confusion_of_the_wrong_shape_is_refused() -> None:
    with pytest.raises(BadInput, match=r"2 classes has shape \(2, 2\), not \(3, 3\)"):
        confusion(np.eye(3), ["a", "b"])


def test_widths_add_up() -> None:
    fig = widths([DrawnWidth("conv1", 32, 32), DrawnWidth("conv2", 16, 64)])
    kept, removed, numbers = fig.data
    assert (kept.x.tolist(), removed.x.tolist()) == ([32, 16], [0, 48])
    assert list(numbers.text) == [" 32", " 16 of 64"]
    assert removed.marker.pattern.shape == "/"
    assert fig.layout.yaxis.range[0] > fig.layout.yaxis.range[1]  # the input's layer on top
    assert alt_text(fig) == "48 of 96 feature maps kept in 2 layers; conv2 loses the largest share, 48 of 64."


def test_overview_shows_the_shares_of_the_costs() -> None:
    fig = layer_overview([LayerCost("conv1", 32, 1e6, 300), LayerCost("conv2", 64, 3e6, 100, "3x3 convolution")])
    flops, parameters = fig.data
    assert flops.y.tolist() == [0.25, 0.75] and parameters.y.tolist() == [0.75, 0.25]
    told = "3x3 convolution<br>64 channels<br>3.00 MFLOPs, 75.0%<br>100 parameters, 25.0%"
    assert told in flops.customdata[1]
    assert "2 layers with 96 channels; conv2 costs most, 75% of the FLOPs" in alt_text(fig)


@pytest.mark.parametrize("figure", [widths, layer_overview])
def test_no_layers_are_refused(figure: object) -> None:
    with pytest.raises(BadInput, match="at least one layer, and none was given"):
        figure([])  # type: ignore[operator]
