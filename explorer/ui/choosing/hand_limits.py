"""Choices by hand: layers that are locked, and units that stay or go whatever their saliency; of a run, in this tab."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from explorer.core.text import counted
from explorer.networks.units import Units
from explorer.pruning.limits import Chosen, Limits, with_layers_kept, with_units_chosen
from explorer.ui.elements import say
from explorer.ui.work.address import run_id


def locked_key() -> str:
    """The key of the input that holds the locked layers."""
    return f"kept-{run_id()}"


def locked() -> list[str]:
    """The locked layers."""
    return list(st.session_state.get(locked_key(), ()))


def units_to_stay() -> Chosen:
    """Layer -> channels that were chosen to stay."""
    return _held("stay")


def units_to_go() -> Chosen:
    """Layer -> channels that were chosen to go."""
    return _held("go")


def stamp() -> int:
    """Grows with every choice, so that the browser knows which of its clicks are in."""
    return int(_state().get("stamp", 0))


def set_choices(chosen: Mapping[str, Any]) -> None:
    """Take over all choices at once: {"stay": {layer: channels}, "go": ..., "locked": layers, "stamp": number}."""
    st.session_state[_key()] = {part: _channels(chosen[part]) for part in ("stay", "go")} | {"stamp": chosen["stamp"]}
    st.session_state[locked_key()] = list(chosen["locked"])


def clear() -> None:
    """Give every layer and every unit free again."""
    set_choices({"stay": {}, "go": {}, "locked": [], "stamp": stamp() + 1})


def limited(units: Units, floor: int, multiple: int) -> Limits:
    """These floors and widths, with all that was chosen by hand."""
    return with_units_chosen(
        units, units_to_stay(), units_to_go(), with_layers_kept(units, locked(), Limits(floor, {}, multiple))
    )


def summary() -> str:
    """The choices in words, "1 layer locked, 2 units stay, 1 goes"; "" without any."""
    layers, staying, going = len(locked()), *(sum(map(len, part().values())) for part in (units_to_stay, units_to_go))
    parts = [
        f"{counted(layers, 'layer')} locked" if layers else "",
        f"{counted(staying, 'unit')} chosen to stay" if staying else "",
        f"{counted(going, 'unit')} chosen to go" if going else "",
    ]
    return ", ".join(filter(None, parts))


def clear_button(key: str) -> None:
    """Draw the choices made by hand, and the button that clears them; nothing without any."""
    if said := summary():
        with st.container(horizontal=True, vertical_alignment="center"):
            say.caption(f"By hand: {said}.")
            st.button("Clear these choices", key=key, on_click=clear, help="Unlock all layers and give all units free.")


def _key() -> str:
    return f"chosen-{run_id()}"


def _state() -> Mapping[str, Any]:
    return st.session_state.get(_key(), {})


def _held(part: str) -> Chosen:
    return dict(_state().get(part, {}))


def _channels(layers: Mapping[str, Sequence[int]]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(int(channel) for channel in channels) for name, channels in layers.items() if len(channels)}
