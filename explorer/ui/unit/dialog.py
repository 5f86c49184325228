"""One feature map in detail: a dialog over any page, which leads through the units in that page's order."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st
from torch import Tensor

from explorer.core.text import markdown
from explorer.scoring.detail import Saving, neighbours, saving, standing
from explorer.ui.elements import say, wording
from explorer.ui.elements.boundary import boundary
from explorer.ui.unit import looks, worth
from explorer.ui.work.address import UNIT
from explorer.ui.work.session import View
from explorer.ui.work.workspace import NO_IMAGES


@dataclass(frozen=True, eq=False)
class UnitRanking:
    """A page's way to rank units."""

    saliency: Tensor  # (units,) what it ranks by
    title: str  # "Taylor, layer-wise l2"
    scaling: str  # of criteria, for their ranks
    anew: bool = False  # whether criteria are scored in the network as it is now


def unit_in_detail(view: View, asked: int | None, order: UnitRanking) -> None:
    """Show the unit that was asked for on this page in this run, or go on showing the one that is open."""
    if asked is None:
        asked = _linked(view)
    if asked is not None:
        st.session_state[_key(view)] = asked
        st.session_state["unit-openings"] = openings() + 1
    if _key(view) in st.session_state:
        st.dialog("One feature map", width="large", on_dismiss=lambda: _close(view))(boundary()(_dialog))(view, order)


def _linked(view: View) -> int | None:
    """The unit that the tab's address named at first, "LAYER:CHANNEL", if any; one that is not there is said."""
    name = "" if st.session_state.get("unit-read") else st.query_params.get(UNIT, "")
    st.session_state["unit-read"] = True
    layer, _, channel = name.rpartition(":")
    labels = {f"{layer}:{channel}": unit for unit, (layer, channel) in enumerate(view.workspace.network.units.labels)}
    if name and name not in labels:
        say.warning(f"This link is about channel {channel} of {layer}, and this network has no such unit.")
        st.query_params.pop(UNIT, None)
    return labels.get(name)


def _close(view: View) -> None:
    st.session_state.pop(_key(view), None)
    st.query_params.pop(UNIT, None)


def openings() -> int:
    """The number of times that a unit was opened in this tab: in a table's key, it makes the table forget the clicked
    row.
    """
    return int(st.session_state.get("unit-openings", 0))


def unit_choice(view: View) -> int | None:
    """A layer and a channel to choose; the unit, once the button is pressed."""
    units = view.workspace.network.units
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        name = st.selectbox(
            "Look at one unit of", list(units.slices), key="look-layer", persist_state="session", width=260
        )
        channels = units.layers[list(units.slices).index(name)].channels
        channel = st.selectbox("Channel", channels, key=f"look-channel-{name}", persist_state="session", width=110)
        if st.button("Look at this unit", key="look"):
            return units.slices[name].start + channels.index(channel)
    return None


def _key(view: View) -> str:
    return f"unit-{view.workspace.key}"


def _dialog(view: View, order: UnitRanking) -> None:
    unit = st.session_state[_key(view)]
    st.query_params[UNIT] = ":".join(map(str, view.workspace.network.units.labels[unit]))
    _head(view, order, unit)
    written = looks.written_choice(view, unit)
    if view.loaded.given:
        looks.images(view, unit, written)
    else:
        say.caption(f"With images, those that excite it would be shown here. {NO_IMAGES}")
    left, right = st.columns(2, gap="large")
    with left:
        worth.standings(view, unit, order.scaling, order.anew)
    with right:
        looks.kernel(view, unit, written)
        looks.coupling(view, unit)
        if view.loaded.given:
            worth.oracle_effect(view, unit)
            worth.class_effects(view, unit)
        else:
            say.caption("With images: the oracle's measured value of it, and what its removal does to each class.")


def _head(view: View, order: UnitRanking, unit: int) -> None:
    units, removed = view.workspace.network.units, view.removed
    layer, channel = units.labels[unit]
    title, buttons = st.columns([5, 1.4], vertical_alignment="center")
    with title:
        say.body("#### {}, channel {}", layer, channel)
        say.body("{}", _summary(view, order, unit))
    before, after = neighbours(order.saliency, removed, unit)
    with buttons.container(horizontal=True, horizontal_alignment="right", gap="small"):
        for label, other in (("Previous", before), ("Next", after)):  # never disabled: Escape needs the focus here
            st.button(
                markdown(label),
                key=f"unit-{label}",
                on_click=_show,
                args=(view, unit if other is None else other),
                help=f"In the order of {order.title}" + ("; this is the end" if other is None else ""),
            )
    if removed[unit]:
        st.info(
            "This unit is **removed** in this state of the timeline, so it has no rank; its maps, kernel "
            "and values are those of the network as loaded."
        )


def _show(view: View, unit: int) -> None:
    if unit != st.session_state[_key(view)]:
        worth.stop_measuring(view, st.session_state[_key(view)])
        st.session_state[_key(view)] = unit


def _summary(view: View, order: UnitRanking, unit: int) -> str:
    units, costs = view.workspace.network.units, view.workspace.costs
    found = saving(costs, view.removed, unit)
    if view.removed[unit]:
        return f"Its removal saves {_saved(found)}."
    place = standing(order.saliency, order.saliency, units, view.removed, unit)
    alone = " It is the last of its layer, and can't go." if place.layer_of == 1 else ""
    return (
        f"Rank {wording.rank(place.rank)} of {place.of:,} units left by {order.title}, "
        f"{wording.rank(place.layer_rank)} of {place.layer_of:,} in its layer; 1 = most important. "
        f"Its removal would save {_saved(found)}.{alone}"
    )


def _saved(found: Saving) -> str:
    return (
        f"{wording.short(found.parameters)} parameters ({found.parameters / found.of_parameters:.2%}) and "
        f"{wording.short(found.flops)} FLOPs ({found.flops / found.of_flops:.2%}) of the network as it is now"
    )
