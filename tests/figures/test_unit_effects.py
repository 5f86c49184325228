from __future__ import annotations

import numpy as np
import pytest

from explorer.core.errors import BadInput
from explorer.figures.style import alt_text
from explorer.figures.unit_effects import unit_effects

LOSS, ERROR = np.array([0.01, -1.0, 0.0, 0.1]), np.array([0.02, 0.25, 0.0, 0.01])
NAMES = ["a, channel 0", "a, channel 1", "b, channel 0", "b, channel 1"]


def test_units_come_by_the_size_of_their_change_each_under_its_sign() -> None:
    _, hurts, helps = unit_effects(LOSS, ERROR, NAMES).data
    assert (helps.x.tolist(), helps.y.tolist()) == ([1], [1])
    assert hurts.x.tolist() == [2, 3, 4]
    assert (helps.customdata.tolist(), hurts.customdata.tolist()) == ([1], [3, 0, 2])
    assert hurts.y.tolist() == pytest.approx([0.1, 0.01, 1e-6])  # none at all: at the foot of the axis
    assert hurts.text == (
        "<b>b, channel 1</b><br>+0.1 ± 0.01 nats",
        "<b>a, channel 0</b><br>+0.01 ± 0.02 nats",
        "<b>b, channel 0</b><br>+0 ± 0 nats",
    )


def test_the_grey_reaches_up_to_two_standard_errors_of_each_unit() -> None:
    grey = unit_effects(LOSS, ERROR, NAMES).data[0]
    assert grey.x.tolist() == [1, 2, 3, 4, 4, 1]
    assert grey.y.tolist() == pytest.approx([0.5, 0.02, 0.04, 1e-6, 1e-6, 1e-6])


def test_without_known_errors_there_is_no_grey() -> None:
    fig = unit_effects(LOSS, np.full(4, np.inf), NAMES)
    assert [trace.name for trace in fig.data] == ["removal hurts", "removal lowers the loss"]


def test_it_says_what_is_unclear_and_what_is_estimated() -> None:
    said = alt_text(unit_effects(LOSS, ERROR, NAMES))
    assert "each of 4 units goes, largest first: from -1 to +0 nats; 1 units lower the loss, and 2 lie within" in said
    estimated = unit_effects(LOSS, ERROR, NAMES, exact=False)
    assert "estimated" in alt_text(estimated) and "estimated" in estimated.layout.yaxis.title.text


def test_lengths_that_differ_are_refused() -> None:
    with pytest.raises(BadInput, match="must be as many, not 4, 3 and 4"):
        unit_effects(LOSS, ERROR[:3], NAMES)
    with pytest.raises(BadInput, match="not 0, 0 and 0"):
        unit_effects(LOSS[:0], ERROR[:0], [])


def test_a_network_whose_units_change_nothing_can_be_drawn() -> None:
    _, hurts, helps = unit_effects(np.zeros(4), np.zeros(4), NAMES).data
    assert len(hurts.x) == 4 and not len(helps.x) and np.isfinite(hurts.y).all()
