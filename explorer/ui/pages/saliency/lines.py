"""Lines: the thresholds that were drawn, and how an address names them: `[0.03,{"features.2":0.01}]`, the common one
first."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field, replace

import streamlit as st

from explorer.networks.units import Units
from explorer.ui.work.address import LINES

EVERY_LAYER = "all layers"


@dataclass(frozen=True)
class Lines:
    """Thresholds in the unit of the saliency, as float32 numbers."""

    common: float | None = None  # None: not drawn yet
    own: dict[str, float] = field(default_factory=dict)  # layer name -> its own, in place of the common one

    def of(self, layer: str) -> float | None:
        """The line that decides about a layer, if any."""
        return self.own.get(layer, self.common)

    def by_layer(self, layers: list[str]) -> dict[str, float]:
        """Layer name -> its line, of those that have one."""
        return {name: line for name in layers if (line := self.of(name)) is not None}

    def moved(self, layer: str, value: float | None) -> Lines:
        """These lines with one of them elsewhere; None takes it back."""
        if layer == EVERY_LAYER:
            return replace(self, common=value)
        rest = {name: line for name, line in self.own.items() if name != layer}
        return replace(self, own=rest if value is None else {**rest, layer: value})


def linked_lines(units: Units) -> Lines:
    """The lines that the tab's address names; none where it names none, or what no line can be."""
    try:
        common, own = json.loads(st.query_params.get(LINES, ""))
        named = {layer.name: _line(own.get(layer.name)) for layer in units.layers}
        return Lines(_line(common), {name: line for name, line in named.items() if line is not None})
    except (ValueError, TypeError, AttributeError, RecursionError):
        return Lines()


def _line(value: object) -> float | None:
    if value is not None and (
        isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value)
    ):
        raise ValueError("a line is a finite number")
    return value


def name_lines(lines: Lines) -> None:
    """Name these lines in the tab's address."""
    if lines == Lines():
        st.query_params.pop(LINES, None)
    elif st.query_params.get(LINES) != (named := json.dumps([lines.common, lines.own], separators=(",", ":"))):
        st.query_params[LINES] = named
