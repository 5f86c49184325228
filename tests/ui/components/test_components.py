"""The Python side of the threshold and of the network strip; a browser test drives the rest."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import numpy as np
import pytest

from explorer.core.errors import BadInput

pytest.importorskip("streamlit")

from explorer.pruning.threshold_curve import Curve, ThresholdPoint
from explorer.ui.components.canvas.canvas import BLANK, EXAMPLE, Drawn, Sheet, canvas_data, told_by_canvas
from explorer.ui.components.picks.picks import Board, Picked, PickLayer, PictureSheet, picks_data, told_by_picks
from explorer.ui.components.strip.strip import StripLayer, strip_data
from explorer.ui.components.threshold.threshold import Shown, threshold_data
from explorer.ui.components.unit_map.unit_map import BELOW, GOES, REMOVED, ByHand, LayerCells, Look, unit_map_data

UI = Path(__file__).resolve().parents[3] / "explorer" / "ui" / "components"


def threshold(values: np.ndarray, value: float = 0.0) -> dict:
    return threshold_data(Shown(values, value, "nats"))


def test_the_browser_gets_the_exact_ascending_values() -> None:
    values = np.random.default_rng(0).lognormal(-5, 2, 4224).astype(np.float32)
    values[:7] = 0
    data = threshold(values, 0.01)
    sent = np.frombuffer(base64.b64decode(data["values"]), "<f4")
    assert np.array_equal(sent, np.sort(values))
    assert sum(data["counts"]) + data["zeros"] == 4224
    assert (data["zeros"], data["log"], data["value"]) == (7, True, float(np.float32(0.01)))
    assert len(data["edges"]) == len(data["counts"]) + 1
    assert data["edges"][-1] == float(values.max())


def test_signed_values_get_a_linear_axis_without_a_zero_slot() -> None:
    data = threshold(np.array([-1.0, 0.0, 3.0]))
    assert (data["log"], data["zeros"], data["edges"][0], data["edges"][-1]) == (False, 0, -1.0, 3.0)
    assert (0.0, "0") in data["ticks"]


def test_nan_is_refused_before_it_reaches_the_browser() -> None:
    with pytest.raises(BadInput, match="1 of the 2 given"):
        threshold(np.array([1.0, np.nan]))


def test_strip_columns_by_arithmetic() -> None:
    data = strip_data([StripLayer("a", 8, 16, 1.0), StripLayer("b", 64, 64, 3.0)], "b")
    a, b = data["columns"]
    assert (a["height"], b["height"]) == (0.5, 1.0)  # the square root of 16 / 64
    assert (a["kept"], a["total"]) == (8, 16)
    assert a["color"] != b["color"]
    assert a["text"] == "a: 8 of 16 feature maps kept, 25.0% of FLOPs"
    assert (data["summary"], data["top"], data["selected"]) == ("2 layers, 72 of 80 feature maps kept", "75%", "b")


def test_a_strip_needs_layers() -> None:
    with pytest.raises(BadInput, match="at least one layer"):
        strip_data([], None)


def test_the_curve_goes_to_the_browser_as_threshold_accuracy_loss() -> None:
    curve = Curve(
        (ThresholdPoint(0.5, 3, 1.25, 0.75), ThresholdPoint(1.0, 2, 2.5, 0.5)), (ThresholdPoint(0.5, 3, 1.5, 0.25),)
    )
    sent = threshold_data(Shown(np.array([0.5, 1.0]), 0.5), curve)["curve"]
    assert sent == {"predicted": [[0.5, 0.75, 1.25], [1.0, 0.5, 2.5]], "measured": [[0.5, 0.25, 1.5]]}
    assert threshold(np.array([0.5, 1.0]))["curve"] is None


def units(name: str, saliency: list[float], goes: list[int], below: list[int], removed: list[int]) -> LayerCells:
    masks = (np.array(mask, bool) for mask in (goes, below, removed))
    return LayerCells(name, (2, 5, 7), np.array(saliency), *masks, line=0.25)


def test_cells_say_what_goes_and_why_in_either_order() -> None:
    layer = units("a", [3.0, 1.5, np.inf], [0, 1, 0], [1, 1, 0], [0, 0, 1])
    chosen = ByHand({"a": (2,)}, {"b": (1, 4)}, ["b"], 7)
    data = unit_map_data([layer], chosen, Look("channel", "a"))
    (row,) = data["layers"]
    assert row["cells"] == [[2, BELOW, "3"], [5, GOES + BELOW, "1.5"], [7, REMOVED, ""]]
    assert (row["total"], row["gone"], row["going"], row["line"]) == (3, 1, 1, "0.25")
    assert (data["stay"], data["go"], data["locked"], data["stamp"]) == ({"a": [2]}, {"b": [1, 4]}, ["b"], 7)
    (row,) = unit_map_data([layer], chosen, Look("saliency", None, ["a"]))["layers"]
    assert [cell[0] for cell in row["cells"]] == [5, 2, 7]
    (row,) = unit_map_data([layer], chosen, Look("saliency", None, []))["layers"]
    assert row["cells"] is None and row["going"] == 1


@pytest.mark.parametrize("name", ["canvas", "state_tree", "strip", "threshold", "unit_map"])
def test_components_ask_no_other_host_and_run_no_text_as_markup(name: str) -> None:
    source = "".join((UI / name / f"{name}{end}").read_text(encoding="utf-8") for end in (".html", ".css", ".js"))
    assert not re.search(r"@import|fetch\(|XMLHttpRequest|innerHTML|(?<!www\.w3\.org)https?://(?!www\.w3\.org)", source)


def test_a_canvas_gets_its_form_and_takes_back_only_what_a_canvas_tells() -> None:
    paper = Sheet(280, 140, 10, "#000000", (("Pen", "#FFFFFF"), ("Eraser", "#000000")))
    data = canvas_data(paper, Drawn("data:image/png;base64,AA==", EXAMPLE, 3))
    assert (data["width"], data["height"], data["grain"], data["stamp"]) == (280, 140, 10, 3)
    assert data["inks"] == [["Pen", "#FFFFFF"], ["Eraser", "#000000"]]
    assert told_by_canvas({"picture": "data:", "on": BLANK, "stamp": 4}) == Drawn("data:", BLANK, 4)
    for wrong in (
        {},
        {"picture": 1, "on": BLANK, "stamp": 4},
        {"picture": "", "on": EXAMPLE, "stamp": 4},
        {"on": BLANK},
    ):
        assert told_by_canvas(wrong) is None


def test_units_to_pick_are_sent_with_their_pictures_and_come_back_once_each() -> None:
    sheet = PictureSheet("data:image/png;base64,", 2, 1)
    layers = [PickLayer("a", (0, 2), sheet, {2: ["taylor"]}), PickLayer("<b>", (0, 1, 3), None)]
    data = picks_data(Board(layers, 3, {"taylor": "Taylor"}, single=True), Picked((("a", 2),), 4))
    a, b = data["layers"]
    assert (a["total"], a["channels"], a["columns"], a["also"]) == (2, [0, 2], 2, {"2": ["taylor"]})
    assert (b["total"], b["channels"], b["sheet"]) == (3, [], None)
    assert (data["chosen"], data["stamp"], data["count"], data["single"]) == ([["a", 2]], 4, 3, True)
    told = told_by_picks({"units": [["a", 2], ["<b>", 0], ["a", 2]], "stamp": 5})
    assert told == Picked((("a", 2), ("<b>", 0)), 5)
