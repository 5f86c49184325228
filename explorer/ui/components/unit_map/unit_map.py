"""Every unit as a cell: what stays and what goes, layer by layer; a click has a unit stay or go, or locks a layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from explorer.pruning.limits import Chosen
from explorer.ui.components.component import component

_component = component(__file__)

ORDERS = ("channel", "saliency")
GOES, BELOW, REMOVED = 1, 2, 4  # bits of a cell


@dataclass(frozen=True, eq=False)
class LayerCells:
    """One layer: channels as loaded, saliencies, and which units go, lie below its line, or are removed; (units,)."""

    name: str
    channels: Sequence[int]
    saliency: np.ndarray
    goes: np.ndarray
    below: np.ndarray
    removed: np.ndarray
    line: float | None = None  # its own, where it has one


@dataclass(frozen=True)
class ByHand:
    """The person's choices; stamp: grows with every choice."""

    stay: Chosen
    go: Chosen
    locked: Sequence[str]
    stamp: int


@dataclass(frozen=True)
class Look:
    """Display options of the cells."""

    order: str = "channel"  # of ORDERS
    selected: str | None = None  # the layer that is marked
    shown: Sequence[str] | None = None  # layers whose cells are seen, None = all; the others are a bar each

    def shows(self, layer: LayerCells) -> bool:
        """Whether the cells of a layer are seen."""
        return self.shown is None or layer.name in self.shown


def unit_map(
    layers: Sequence[LayerCells],
    chosen: ByHand,
    look: Look,
    *,
    key: str,
    on_choose: Callable[[Mapping[str, Any]], None],
    on_layer: Callable[[str], None],
) -> None:
    """Draw the cells of the layers.

    on_choose gets all choices at once, as `hand_limits.set_choices` takes them; on_layer the name of a clicked layer.
    Arrow keys move between cells, Enter or the space bar changes one: free, then to stay, then to go.
    """
    _component(
        key=key,
        data=unit_map_data(layers, chosen, look),
        on_chosen_change=lambda: _tell(key, "chosen", on_choose),
        on_layer_change=lambda: _tell(key, "layer", on_layer),
    )


def _tell(key: str, what: str, act: Callable[[Any], None]) -> None:
    if (value := getattr(st.session_state.get(key), what, None)) is not None:
        act(value)


def unit_map_data(layers: Sequence[LayerCells], chosen: ByHand, look: Look) -> dict[str, object]:
    """The data that the browser draws: [channel, bits, saliency] of each cell, and the choices."""
    return {
        "layers": [_layer(layer, look) for layer in layers],
        "selected": look.selected,
        "stay": {name: list(channels) for name, channels in chosen.stay.items()},
        "go": {name: list(channels) for name, channels in chosen.go.items()},
        "locked": list(chosen.locked),
        "stamp": chosen.stamp,
    }


def _layer(layer: LayerCells, look: Look) -> dict[str, object]:
    going = int((layer.goes & ~layer.removed).sum())
    places = np.argsort(layer.saliency, kind="stable") if look.order == "saliency" else range(len(layer.channels))
    return {
        "name": layer.name,
        "total": len(layer.channels),
        "gone": int(layer.removed.sum()),
        "going": going,
        "line": None if layer.line is None else f"{layer.line:.3g}",
        "cells": [_cell(layer, int(place)) for place in places] if look.shows(layer) else None,
    }


def _cell(layer: LayerCells, place: int) -> list[object]:
    bits = GOES * layer.goes[place] + BELOW * layer.below[place] + REMOVED * layer.removed[place]
    value = layer.saliency[place]
    return [layer.channels[place], int(bits), f"{value:.3g}" if np.isfinite(value) else ""]
