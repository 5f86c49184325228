"""The palette: colours read on both grounds, and stand in no other file."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from contrasts import contrast

from explorer.core import palette
from explorer.core.palette import DARK, LIGHT, Theme, page_variables, translucent

PACKAGE = Path(palette.__file__).parents[1]
CONFIG = PACKAGE / "ui" / "frame" / ".streamlit" / "config.toml"
HEX, NAMED = r"#(?:[0-9a-fA-F]{3,4}){1,2}\b", r"[\"'](?:white|black|red)[\"']|: ?(?:white|black|red);"
SPELT = re.compile(rf"{HEX}|\brgba?\([\d\s]|{NAMED}")
THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])


def written() -> dict[Path, str]:
    """The text of all files of the package that can hold colours, but for the palette."""
    found = [path for end in ("py", "css", "js", "html", "toml") for path in PACKAGE.rglob(f"*.{end}")]
    return {path: path.read_text(encoding="utf-8") for path in found if path != Path(palette.__file__)}


def test_no_other_file_spells_a_colour() -> None:
    assert len(SPELT.findall("a #fff; b #0072B2 c rgba(0, 0, 0) 'white' # 12 #x")) == 4
    assert [path.name for path, text in written().items() if SPELT.search(text)] == ["config.toml"]


def test_the_theme_of_the_pages_is_that_of_the_palette() -> None:
    theme = tomllib.loads(CONFIG.read_text(encoding="utf-8"))["theme"]
    assert tuple(theme["chartCategoricalColors"]) == palette.CATEGORIES
    for name, own in (("light", LIGHT), ("dark", DARK)):
        assert theme[name] == {
            "primaryColor": own.primary,
            "backgroundColor": own.ground,
            "secondaryBackgroundColor": own.box,
            "textColor": own.ink,
            "borderColor": own.line,
            "linkColor": own.link,
        }


def test_every_variable_in_a_style_is_streamlits_or_the_palettes_or_set_by_the_app() -> None:
    known = set(re.findall(r"--[a-z-]+(?=:)", page_variables()))
    for text in written().values():
        known |= set(re.findall(r"(--[a-z-]+):", text) + re.findall(r"setProperty\([\"`](--[a-z-]+)", text))
    begun = tuple(name for name in known if name.endswith("-"))  # whose end a script puts in
    for path, text in written().items():
        names = {name for name in re.findall(r"var\((--[a-z-]+)", text) if not name.startswith("--st-")}
        assert {name for name in names - known if not name.startswith(begun)} == set(), path


@THEMES
@pytest.mark.parametrize("color", [palette.BLUE, palette.GREEN, palette.VERMILION])
def test_lines_and_marks_are_seen_on_both_grounds(theme: Theme, color: str) -> None:
    assert contrast(color, theme.ground) >= 3


@THEMES
def test_what_is_written_can_be_read(theme: Theme) -> None:
    assert contrast(theme.ink, theme.ground) >= 7 and contrast(theme.ink, theme.box) >= 7
    assert min(contrast(color, theme.ground) for color in (theme.muted, theme.link, theme.primary)) >= 4.5
    assert contrast(palette.WHITE, palette.KEPT) >= 4.5


def test_a_translucent_colour_keeps_its_channels() -> None:
    assert translucent("#0A10FF", 0.25) == "rgba(10,16,255,0.25)"
