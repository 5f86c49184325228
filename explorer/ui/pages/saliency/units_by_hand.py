"""The map of all units on the Saliency page: which go, layer by layer, and the choices made by clicking them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st
from torch import Tensor

from explorer.ui.choosing import hand_limits
from explorer.ui.components.unit_map.unit_map import ORDERS, ByHand, LayerCells, Look, unit_map
from explorer.ui.elements import say
from explorer.ui.pages.saliency.lines import EVERY_LAYER, Lines
from explorer.ui.work.session import View

MAX_CELLS = 1024  # cells drawn for all layers; of larger networks, those of the chosen layer


@dataclass(frozen=True, eq=False)
class Cells:
    """The data of the map: saliency (units,), the plan, the lines in force, and whose line the handle moves."""

    saliency: Tensor
    plan: Tensor
    lines: Lines
    layer: str


def units_map(view: View, cells: Cells) -> None:
    """The map with its order and what has been chosen so far."""
    names = [layer.name for layer in view.workspace.network.units.layers]
    whole = len(view.removed) <= MAX_CELLS
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        say.subheader("Which units go", width="content")
        order = st.segmented_control(
            "Units by",
            ORDERS,
            default="saliency",
            key="map-order",
            persist_state="session",
            required=True,
        )
    unit_map(
        _layers(view, cells),
        ByHand(hand_limits.units_to_stay(), hand_limits.units_to_go(), hand_limits.locked(), hand_limits.stamp()),
        Look(order, cells.layer, names if whole else [cells.layer]),
        key="unit-map",
        on_choose=hand_limits.set_choices,
        on_layer=_choose_layer,
    )
    if not whole and cells.layer == EVERY_LAYER:
        say.caption("Click a layer's name to see its units.")
    hand_limits.clear_button("clear-map")


def _choose_layer(name: str) -> None:
    """A click on the name of the layer whose line is shown leads back to all layers."""
    st.session_state["threshold-layer"] = EVERY_LAYER if st.session_state.get("threshold-layer") == name else name


def _layers(view: View, cells: Cells) -> list[LayerCells]:
    units = view.workspace.network.units
    found = []
    for layer in units.layers:
        place, line = units.slices[layer.name], cells.lines.of(layer.name)
        saliency = cells.saliency[place].numpy()
        below = saliency < (-np.inf if line is None else line)
        removed, goes = view.removed[place].numpy(), cells.plan[place].numpy()
        own = cells.lines.own.get(layer.name)
        found.append(LayerCells(layer.name, layer.channels, saliency, goes & ~removed, below, removed, own))
    return found
