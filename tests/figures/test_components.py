"""The Python side of the threshold and of the network strip; a browser test drives the rest."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import numpy as np
import pytest

from explorer.errors import BadInput

pytest.importorskip("streamlit")

from explorer.ui.strip import StripLayer, strip_data
from explorer.ui.threshold import threshold_data

UI = Path(__file__).resolve().parents[2] / "explorer" / "ui"


def threshold(values: np.ndarray, value: float = 0.0) -> dict:
    return threshold_data(values, value, label="Taylor", unit="units", value_unit="nats")


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


@pytest.mark.parametrize("name", ["threshold", "strip"])
def test_components_ask_no_other_host_and_run_no_text_as_markup(name: str) -> None:
    source = "".join((UI / f"{name}{end}").read_text(encoding="utf-8") for end in (".html", ".css", ".js"))
    assert not re.search(r"@import|fetch\(|XMLHttpRequest|innerHTML|(?<!www\.w3\.org)https?://(?!www\.w3\.org)", source)
