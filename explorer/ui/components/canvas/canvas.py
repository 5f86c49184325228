"""A canvas to draw on by mouse, pen, touch or keys; it tells of the picture whenever the pen is lifted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from explorer.ui.components.component import component

_component = component(__file__)

BLANK, IMAGE, EXAMPLE = "blank", "image", "example"  # what was drawn on; an example goes at the first stroke


@dataclass(frozen=True)
class Drawn:
    """A picture on the canvas."""

    picture: str = ""  # a PNG as a data URI; "" for a blank canvas
    on: str = BLANK
    stamp: int = 0  # grows with every change


@dataclass(frozen=True)
class Sheet:
    """The form of a canvas."""

    width: int  # pixels
    height: int
    grain: int  # pixels of the canvas for each of the network's, along a side
    ground: str  # colour, #RRGGBB
    inks: Sequence[tuple[str, str]]  # name and colour of each pen
    said: str = ""  # stands under it where the page is narrow


def canvas(sheet: Sheet, drawn: Drawn, *, key: str, on_draw: Callable[[Drawn], None]) -> None:
    """Show the canvas with what was drawn, and tell `on_draw` of what is drawn from now on.

    What comes back is text from a browser: nothing of it has been checked. Arrow keys move the pen by a pixel of the
    network, with Shift by four; the space bar puts it down and lifts it.
    """
    _component(key=key, data=canvas_data(sheet, drawn), on_drawn_change=lambda: _tell(key, on_draw))


def canvas_data(sheet: Sheet, drawn: Drawn) -> dict[str, object]:
    """The data that the browser draws."""
    return {
        "width": sheet.width,
        "height": sheet.height,
        "grain": sheet.grain,
        "ground": sheet.ground,
        "inks": [list(ink) for ink in sheet.inks],
        "said": sheet.said,
        "picture": drawn.picture,
        "on": drawn.on,
        "stamp": drawn.stamp,
    }


def _tell(key: str, on_draw: Callable[[Drawn], None]) -> None:
    value = getattr(st.session_state.get(key), "drawn", None)
    if isinstance(value, Mapping) and (told := told_by_canvas(value)):
        on_draw(told)


def told_by_canvas(value: Mapping[str, Any]) -> Drawn | None:
    """What the browser tells, with the types that it must have; None for anything else."""
    picture, on, stamp = (value.get(name) for name in ("picture", "on", "stamp"))
    if isinstance(picture, str) and on in (BLANK, IMAGE) and isinstance(stamp, int):
        return Drawn(picture, str(on), stamp)
    return None
