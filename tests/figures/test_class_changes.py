from __future__ import annotations

import numpy as np
import pytest

from explorer.core.errors import BadInput
from explorer.figures.class_changes import MAX_CLASSES, class_changes
from explorer.figures.style import alt_text

LOSS, ERROR = np.array([0.5, -0.3, 0.1, np.nan, 2.0]), np.array([0.2, 0.1, 0.06, np.nan, np.inf])
CLASSES, NOTES = ["cat", "dog", "cow", "emu", "ant"], ["3 images", "2 images", "4 images", "none", "1 image"]


def test_bars_are_grey_within_two_standard_errors_of_zero_or_where_none_is_known() -> None:
    hurts, helps, unclear = class_changes(LOSS, ERROR, CLASSES, NOTES).data
    assert (hurts.x, hurts.y.tolist()) == (("0",), [0.5])
    assert (helps.x, helps.y.tolist()) == (("1",), pytest.approx([-0.3]))
    assert unclear.x == ("2", "4")  # emu has no images
    assert unclear.error_y.array.tolist() == pytest.approx([0.06, 0])
    assert hurts.text == ("<b>cat</b><br>+0.5 ± 0.2 nats<br>3 images",)


def test_classes_of_one_name_keep_bars_of_their_own() -> None:
    fig = class_changes(np.array([1.0, 2.0]), np.array([0.1, 0.1]), ["a", "a"], ["", ""])
    assert fig.data[0].x == ("0", "1") and fig.layout.xaxis.ticktext == ("a", "a")


def test_of_many_classes_those_that_change_most_are_shown_in_their_order() -> None:
    loss = np.arange(30) / 10.0
    fig = class_changes(loss, np.full(30, 0.01), [f"class {i}" for i in range(30)], [""] * 30)
    assert fig.data[0].x == tuple(str(i) for i in range(30 - MAX_CLASSES, 30))
    assert "30 classes" in alt_text(fig) and "most for class 29, +2.9 nats; 29 classes change" in alt_text(fig)


def test_without_images_there_is_nothing_to_draw() -> None:
    fig = class_changes(np.array([np.nan]), np.array([np.nan]), ["a"], [""])
    assert "no images" in alt_text(fig)
    assert not any(len(bars.x) for bars in fig.data)


def test_numbers_that_differ_are_refused() -> None:
    with pytest.raises(BadInput, match="not 5, 5, 5 and 1"):
        class_changes(LOSS, ERROR, CLASSES, ["a"])
