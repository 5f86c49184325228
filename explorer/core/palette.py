"""Palette: every colour of pages, components, figures and reports, in light and in dark. No other file spells one.

The categories are Okabe and Ito's, which people with any colour vision tell apart. BLUE, GREEN, VERMILION, PURPLE and
NEUTRAL keep a contrast of about 3:1 to the ground in both themes, so they draw lines; the others only fill areas.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

BLUE, GREEN, VERMILION, PURPLE = "#0072B2", "#009E73", "#D55E00", "#CC79A7"
ORANGE, SKY, YELLOW = "#E69F00", "#56B4E9", "#F0E442"
NEUTRAL = "#7F8894"  # marks that carry no category
WHITE, BLACK, CLEAR = "#FFFFFF", "#000000", "rgba(0,0,0,0)"
CATEGORIES = (BLUE, VERMILION, GREEN, PURPLE)  # of a chart, in the order in which they are given away

KEPT, REMOVED = BLUE, VERMILION  # units
MEASURED = GREEN  # a value that was measured, beside one that is only predicted
CURRENT_STATE = ORANGE  # where the reader is


@dataclass(frozen=True)
class Theme:
    """The colours of a page."""

    ground: str
    box: str  # background of boxes
    ink: str
    muted: str  # secondary text
    line: str  # dividing lines
    primary: str  # clickable or chosen elements
    link: str


LIGHT = Theme(ground=WHITE, box="#F3F5F8", ink="#1A222C", muted="#5D6875", line="#D8DEE6", primary=BLUE, link="#005F96")
DARK = Theme(
    ground="#0F1318", box="#181E26", ink="#E4E8EE", muted="#9AA5B1", line="#2B333D", primary="#4AA8DE", link="#6DBBE8"
)
FAINT = "rgb(128, 132, 149)"  # Streamlit's own, of the text of figures in light: too faint to be read
MARKS = {
    "kept": KEPT,
    "removed": REMOVED,
    "measured": MEASURED,
    "here": CURRENT_STATE,
    "on-mark": WHITE,
}  # in both themes


def translucent(color: str, alpha: float) -> str:
    """A #RRGGBB colour with an opacity, 0 to 1."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


def mark_variables() -> str:
    """CSS declarations of the marks' colours, `--kept: ...;` and so on, for a rule around what is drawn with them."""
    return " ".join(f"--{name}: {color};" for name, color in MARKS.items())


def page_variables() -> str:
    """CSS of a page of its own: the marks, and the theme's `--ground`, `--ink` and so on, in light and in dark."""
    return (
        f":root {{ color-scheme: light dark; {mark_variables()} {_variables(LIGHT)} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {_variables(DARK)} }} }}\n"
    )


def app_variables() -> str:
    """CSS declarations of the theme's `--ground`, `--ink` and so on for the app, which says itself which one is on."""
    names = (field.name for field in fields(Theme))
    return " ".join(f"--{name}: light-dark({getattr(LIGHT, name)}, {getattr(DARK, name)});" for name in names)


def _variables(theme: Theme) -> str:
    return " ".join(f"--{field.name}: {getattr(theme, field.name)};" for field in fields(theme))
