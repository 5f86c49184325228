from __future__ import annotations

import numpy as np
import pytest

from explorer.core.errors import BadInput
from explorer.figures.rank_strip import CriterionPlace, rank_strip
from explorer.figures.style import CRITERION_STYLES, alt_text

PLACES = [CriterionPlace("oracle", 0.25, 0.5, "rank 3 of 9"), CriterionPlace("weight", 1.0, 0.0, "rank 9 of 9")]


def test_a_row_has_a_mark_among_all_and_one_within_the_layer() -> None:
    fig = rank_strip(PLACES)
    spans, layer, everywhere = fig.data
    assert everywhere.x.tolist() == [25, 100] and everywhere.y.tolist() == [0, 1]
    assert layer.x.tolist() == [50, 0]
    assert spans.x[:2].tolist() == [25, 50] and np.isnan(spans.x[2])
    assert fig.layout.yaxis.ticktext == ("oracle", "weight")
    assert fig.layout.yaxis.range[0] > fig.layout.yaxis.range[1]  # the first on top


def test_criteria_look_as_everywhere() -> None:
    marks = rank_strip(PLACES).data[2].marker
    styles = [CRITERION_STYLES[place.criterion] for place in PLACES]
    assert marks.color == tuple(s.color for s in styles) and marks.symbol == tuple(s.symbol for s in styles)


def test_the_strip_is_told_in_words() -> None:
    assert "oracle 25%, weight 100%." in alt_text(rank_strip(PLACES))
    assert rank_strip(PLACES).data[2].text[1] == "<b>weight</b><br>rank 9 of 9"


def test_without_criteria_there_is_no_strip() -> None:
    with pytest.raises(BadInput, match="at least one criterion"):
        rank_strip([])
