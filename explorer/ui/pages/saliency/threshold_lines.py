"""Threshold lines: one that all layers share, and one of its own for each layer that was given one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import streamlit as st
from torch import Tensor

from explorer.figures.binning import scale_for
from explorer.pruning.limits import NO_LIMITS
from explorer.ui.choosing.controls import RankingChoice
from explorer.ui.components.threshold.threshold import Follower, Shown, threshold_histogram
from explorer.ui.elements import say
from explorer.ui.elements.boundary import boundary
from explorer.ui.elements.say import Place
from explorer.ui.pages.saliency.lines import EVERY_LAYER, Lines, linked_lines, name_lines
from explorer.ui.pages.saliency.one_shot import NO_CURVE, PartialCurve, curve_job
from explorer.ui.work.address import run_id
from explorer.ui.work.progress import redraw
from explorer.ui.work.session import View

MOVED = "line-moved"
PICTURE = "distributions"  # key of the chart that shows the line too
POLL = 0.6  # seconds


def chosen_layer(view: View) -> str:
    """Whose line the handle moves."""
    layers = [layer.name for layer in view.workspace.network.units.layers]
    return st.selectbox(
        "Threshold for",
        [EVERY_LAYER, *layers],
        key="threshold-layer",
        persist_state="session",
        help="A line drawn for one layer holds for that layer alone; the common line holds for all others.",
    )


def lines_in_force(view: View, chosen: RankingChoice) -> Lines:
    """The lines that have been drawn for this ranking of the present state; at first those that the address names."""
    if not st.session_state.get("lines-read"):
        st.session_state["lines-read"] = True
        st.session_state.setdefault(_key(view, chosen), linked_lines(view.workspace.network.units))
    return st.session_state.get(_key(view, chosen), Lines())


def handle(view: View, chosen: RankingChoice, saliency: Tensor, layer: str, needed: Tensor) -> tuple[Lines, Place]:
    """Draw the histogram with its handle, and what belongs to it; the lines in force, and the place below the handle
    for what they do.
    """
    _carry_over(view, chosen, saliency)
    lines, key = lines_in_force(view, chosen), _key(view, chosen)
    layers = [one.name for one in view.workspace.network.units.layers]
    names = [name for name in layers if name not in lines.own] if layer == EVERY_LAYER else [layer]
    values = np.concatenate([np.zeros(0, np.float32), *(saliencies_left(view, saliency, name) for name in names)])
    if not len(values):
        st.info("Every layer has a line of its own: choose one of them, or set some back to the common line.")
        below = st.container()
    else:
        line = lines.common if layer == EVERY_LAYER else lines.of(layer)
        value = float(values.min()) if line is None else line

        def move(to: float) -> None:
            st.session_state[key] = lines_in_force(view, chosen).moved(layer, float(np.float32(to)))
            st.session_state[MOVED] = True

        curve = NO_CURVE
        if view.workspace.given:
            curve = curve_job(view.workspace, view.removed, saliency, needed, lines.by_layer(layers), frozenset(names))
        shown = Shown(values, value, chosen.unit, _follower(view, saliency, names))
        _histogram(shown, f"{key}-{layer}", move, curve)
        below = st.container(key="outcome")
        say.caption(_about_curve(view))
        _exact(f"{key}-{layer}", value, move)
    _taking_back(key, lines, layer)
    name_lines(lines_in_force(view, chosen))
    return lines_in_force(view, chosen), below


def _carry_over(view: View, chosen: RankingChoice, saliency: Tensor) -> None:
    """Where no line was drawn by this ranking yet, as many units as by the last one lie below the common line."""
    key, left = _key(view, chosen), np.sort(saliency[~view.removed].numpy().astype(np.float32))
    place = f"below-{view.run}-{view.timeline.current}"
    drawn = lines_in_force(view, chosen)
    if drawn == Lines() and 0 < (below := st.session_state.get(place, 0)) < len(left):
        st.session_state[key] = drawn = Lines(float(left[below]))
    st.session_state[place] = 0 if drawn.common is None else int((left < drawn.common).sum())


def _about_curve(view: View) -> str:
    if view.workspace.given is None:
        return "With images, loss and accuracy by threshold would be drawn here, predicted and measured."
    return (
        "Loss and accuracy by threshold: dashed lines are predicted, dots are measured on "
        f"{view.workspace.validated_on}, all at once, {view.stage.pruned}."
    )


def _follower(view: View, saliency: Tensor, names: list[str]) -> Follower:
    """The picture of all layers, in which the line goes through those of these names."""
    layers = [layer.name for layer in view.workspace.network.units.layers]
    scale = scale_for(np.concatenate([saliencies_left(view, saliency, name) for name in layers]))
    rows = tuple(layers.index(name) for name in names)
    return Follower(PICTURE, rows, len(layers), float(scale.edges[0]), scale.log)


def _histogram(shown: Shown, key: str, move: Callable[[float], None], curve: PartialCurve) -> None:
    """The handle; while the curve behind it grows, only this part of the page is drawn again."""
    drawn = curve.ready, curve.active

    @st.fragment(run_every=POLL if curve.active else None)
    @boundary()
    def box() -> None:
        moved = st.session_state.pop(MOVED, False)
        if moved or drawn != (curve.ready, curve.active):
            redraw()
        own = f"drag-{key}".replace("__", "_.")  # Streamlit keeps two underscores in a component's key for itself
        threshold_histogram(shown, key=own, on_move=move, curve=curve.so_far)

    st.session_state.pop(MOVED, None)
    with st.container(key="line-alone" if curve is NO_CURVE else "line-and-curve"):  # as high as what it will hold
        box()
    curve.controls()


def _exact(key: str, value: float, move: Callable[[float], None]) -> None:
    typed = st.number_input("Exactly", value=value, format="%.6g", key=f"exact-{key}-{value!r}", step=None)
    if typed != value:
        move(typed)
        st.rerun()


def _taking_back(key: str, lines: Lines, layer: str) -> None:
    """Buttons that give layers with lines of their own back to the common one."""

    def back(*layers: str) -> None:
        found = lines
        for name in layers:
            found = found.moved(name, None)
        st.session_state[key] = found

    if layer in lines.own:
        st.button("Back to the common line", key="line-back", on_click=back, args=(layer,), width="stretch")
    others = [name for name in lines.own if name != layer]
    if others:
        say.caption("Lines of their own: " + ", ".join(f"{name} at {lines.own[name]:.3g}" for name in others) + ".")
        st.button("One line for all layers", key="lines-back", on_click=back, args=tuple(lines.own), width="stretch")


def saliencies_left(view: View, saliency: Tensor, name: str) -> np.ndarray:
    """The saliencies of a layer's units that are not removed yet, float32."""
    place = view.workspace.network.units.slices[name]
    return saliency[place][~view.removed[place]].numpy().astype(np.float32)


def _key(view: View, chosen: RankingChoice) -> str:
    return f"lines-{run_id()}-{replace(chosen, limits=NO_LIMITS)}-{view.timeline.current}"
