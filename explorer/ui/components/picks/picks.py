"""Units as pictures, layer by layer; a click or a key chooses one to go, until so many are chosen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from explorer.networks.units import Label
from explorer.ui.components.component import component

_component = component(__file__)


@dataclass(frozen=True)
class PictureSheet:
    """The pictures of a layer's units in one: a data URI, with its columns and rows."""

    source: str
    columns: int
    rows: int


@dataclass(frozen=True)
class PickLayer:
    """One layer: channels as loaded, and its pictures where they are seen."""

    name: str
    channels: Sequence[int]
    sheet: PictureSheet | None
    also: Mapping[int, Sequence[str]] = field(default_factory=dict)  # channel -> keys of `names` who chose it too


@dataclass(frozen=True)
class Picked:
    """The units that a person has chosen, in their order; stamp: grows with every choice."""

    units: tuple[Label, ...] = ()
    stamp: int = 0


@dataclass(frozen=True)
class Board:
    """All there is to choose from."""

    layers: Sequence[PickLayer]
    count: int  # units to choose; a layer keeps one
    names: Mapping[str, str]  # of those who chose too
    single: bool  # one layer is seen at a time, and a click on the name of another asks for it


def picks(
    board: Board,
    picked: Picked,
    *,
    key: str,
    on_pick: Callable[[Picked], None],
    on_layer: Callable[[str], None],
) -> None:
    """Draw the units, and tell of those that are chosen, and of a layer that is asked for.

    What comes back is from a browser: types are checked, units are not.
    """
    _component(
        key=key,
        data=picks_data(board, picked),
        on_chosen_change=lambda: _tell(key, "chosen", lambda value: on_pick(told_by_picks(value))),
        on_layer_change=lambda: _tell(key, "layer", lambda value: on_layer(str(value))),
    )


def _tell(key: str, what: str, act: Callable[[Any], None]) -> None:
    if (value := getattr(st.session_state.get(key), what, None)) is not None:
        act(value)


def told_by_picks(value: Mapping[str, Any]) -> Picked:
    """What the browser tells: each unit once, in their order."""
    units = dict.fromkeys((str(layer), int(channel)) for layer, channel in value["units"])
    return Picked(tuple(units), int(value["stamp"]))


def picks_data(board: Board, picked: Picked) -> dict[str, object]:
    """The data that the browser draws."""
    return {
        "layers": [_layer(layer) for layer in board.layers],
        "chosen": [list(unit) for unit in picked.units],
        "stamp": picked.stamp,
        "count": board.count,
        "names": dict(board.names),
        "single": board.single,
    }


def _layer(layer: PickLayer) -> dict[str, object]:
    sheet = layer.sheet
    return {
        "name": layer.name,
        "total": len(layer.channels),
        "channels": list(layer.channels) if sheet else [],
        "sheet": sheet.source if sheet else None,
        "columns": sheet.columns if sheet else 1,
        "rows": sheet.rows if sheet else 1,
        "also": {str(channel): list(who) for channel, who in layer.also.items()},
    }
