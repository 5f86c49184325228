from __future__ import annotations

import subprocess
import sys

import plotly.graph_objects as go
import pytest
from contrasts import contrast

from explorer.core.palette import DARK, LIGHT, NEUTRAL, PURPLE
from explorer.figures.style import (
    CRITERION_STYLES,
    abridged,
    alt_text,
    blank_figure,
    criterion_style,
    f32,
    sequential,
)
from explorer.scoring.criteria import CRITERIA

NAMED = [*CRITERIA, "oracle", "joint"]


def test_every_criterion_has_a_look_of_its_own() -> None:
    assert sorted(CRITERION_STYLES) == sorted(NAMED)
    looks = {(style.color, style.dash) for style in CRITERION_STYLES.values()}
    assert len(looks) == len({style.symbol for style in CRITERION_STYLES.values()}) == len(NAMED)


@pytest.mark.parametrize("name", [*NAMED, "something_new"])
def test_lines_are_readable_on_white_and_on_the_dark_page(name: str) -> None:
    color = criterion_style(name).color
    floor = 2.9 if color in (PURPLE, NEUTRAL) else 3.0
    assert contrast(color, LIGHT.ground) >= floor
    assert contrast(color, DARK.ground) >= 3.0


def test_a_marker_of_each_symbol_exists_open_and_filled() -> None:
    for style in CRITERION_STYLES.values():
        for symbol in (style.symbol, f"{style.symbol}-open"):
            assert go.scatter.Marker(symbol=symbol).symbol == symbol
    with pytest.raises(ValueError, match="symbol"):
        go.scatter.Marker(symbol="no-such-symbol")


def test_an_unknown_criterion_looks_the_same_in_every_process() -> None:
    code = "from explorer.figures.style import criterion_style as s; print(s('my_rule'))"
    fresh = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert fresh == str(criterion_style("my_rule"))
    assert criterion_style("my_rule").label == "my rule"


def test_figures_need_neither_streamlit_nor_torch() -> None:
    code = (
        "import sys, pkgutil, importlib, explorer.figures as f\n"
        "for m in pkgutil.iter_modules(f.__path__): importlib.import_module('explorer.figures.' + m.name)\n"
        "print({'streamlit', 'torch'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_sequential_colours_span_the_scale() -> None:
    none, half, most = sequential([0.0, 0.1, 0.2])
    assert len({none, half, most}) == 3
    assert sequential([0.0, 1.0, 2.0]) == [none, half, most]
    assert sequential([]) == []


def test_a_blank_figure_is_clear_and_described() -> None:
    fig = blank_figure("One sentence.", height=300)
    assert alt_text(fig) == "One sentence."
    assert fig.layout.paper_bgcolor == fig.layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert fig.layout.font.color is None
    assert f32([1.5]).dtype == "float32"


def test_long_names_lose_their_middle() -> None:
    assert abridged("automobile", 10) == "automobile"
    assert abridged("Corn___Northern_Leaf_Blight", 9) == "Corn…ight"
    assert abridged("Corn___Northern_Leaf_Blight", 10) == "Corn_…ight"
