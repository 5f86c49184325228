"""Saliency page: what each feature map is worth, and a threshold by hand with its measured consequence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from torch import Tensor

from explorer.figures.distributions import LayerValues, distributions
from explorer.figures.widths import LayerWidth, widths
from explorer.limits import FREE
from explorer.plan import below
from explorer.selectors import SELECTORS
from explorer.timeline import metrics_of
from explorer.ui import wording
from explorer.ui.chart import chart
from explorer.ui.controls import Choice, choice, ranking
from explorer.ui.linear import foreseen, linearising
from explorer.ui.progress import await_result, explain_end, follow
from explorer.ui.results import measuring
from explorer.ui.session import View
from explorer.ui.steps import attempt, remove
from explorer.ui.threshold import threshold_histogram
from explorer.ui.unit import Order, unit_choice, unit_in_detail

EVERY_LAYER = "all layers"
INSTANT = 0.15  # seconds in which a measurement comes before its prediction


def page(view: View) -> None:
    """Answer: which feature maps look cheap, and what would it cost to remove those below a line?"""
    picture, side = st.columns([2.2, 1], gap="large")
    with side:
        chosen = choice(view)
        saliency = ranking(view, chosen).float().double()  # as the threshold sees it: float32
        layers = [layer.name for layer in view.workspace.network.units.layers]
        layer = st.selectbox("Threshold for", [EVERY_LAYER, *layers], key="threshold-layer", persist_state="session")
        names = layers if layer == EVERY_LAYER else [layer]
        threshold = _threshold(view, chosen, saliency, names)
    units, lines = view.workspace.network.units, dict.fromkeys(names, threshold)
    plan = below(units, view.removed, saliency, lines, chosen.limits)
    more = int((plan & ~view.removed).sum())
    with picture:
        st.subheader(f"{SELECTORS[chosen.criterion].title} of every unit, by layer")
        chart(_distributions(view, saliency, plan, chosen, names, threshold), "distributions")
        st.caption(_caption(view, chosen))
        asked = unit_choice(view)
        if more:
            st.subheader("What would be left")
            chart(widths(widths_of(view, plan)), "threshold-widths")
    with side:
        linearising(view.workspace, view.removed)  # begins in the background, for predictions to come
        if more:
            _consequence(view, plan, chosen, wording.count(more, "unit"))
        else:
            st.info("Drag the line to the right to see what would go, and what that would cost.")
    unit_in_detail(view, asked, Order(saliency, chosen.title, chosen.scaling, chosen.anew))


def _threshold(view: View, chosen: Choice, saliency: Tensor, names: list[str]) -> float:
    """The line that the person has drawn for these layers, 0 units below it at first."""
    values = np.concatenate([_left(view, saliency, name) for name in names])
    key = f"threshold-{replace(chosen, limits=FREE)}-{'-'.join(names)}-{view.timeline.current}"
    state = st.session_state
    lowest = float(values.min()) if len(values) else 0.0

    def move(value: float) -> None:
        state[key] = value

    threshold_histogram(values, state.get(key, lowest), key=f"drag-{key}", value_unit=chosen.unit, on_move=move)
    return _exact(key, state.get(key, lowest), move)


def _exact(key: str, value: float, move: Callable[[float], None]) -> float:
    typed = st.number_input("Exactly", value=value, format="%.6g", key=f"exact-{key}-{value!r}", step=None)
    if typed != value:
        move(typed)
        st.rerun()
    return float(np.float32(value))


def _left(view: View, saliency: Tensor, name: str) -> np.ndarray:
    place = view.workspace.network.units.slices[name]
    return saliency[place][~view.removed[place]].numpy().astype(np.float32)


def _distributions(
    view: View, saliency: Tensor, plan: Tensor, chosen: Choice, names: list[str], threshold: float
) -> go.Figure:
    units = view.workspace.network.units
    rows = []
    for name, place in units.slices.items():
        here = ~view.removed[place]
        line = threshold if name in names else None
        rows.append(LayerValues(name, _left(view, saliency, name), plan[place][here].numpy(), line))
    return distributions(rows, criterion=chosen.title, value_unit=chosen.unit)


def _caption(view: View, chosen: Choice) -> str:
    base = "the network as it is now" if chosen.anew else "the network as loaded"
    return (
        f"{SELECTORS[chosen.criterion].summary} Higher means keep. Scored in {base}, in eval mode, on "
        f"{view.workspace.calibrated_on}. Orange would go, blue stays; the bar under "
        "each row spans its quartiles."
    )


def _consequence(view: View, plan: Tensor, chosen: Choice, more: str) -> None:
    """What the threshold would do before anything is committed: predicted until it is measured."""
    job, predicted = measuring(view.workspace, plan), foreseen(view.workspace, view.removed, plan)
    job.wait(INSTANT)
    drawn, measured = job.version, job.result
    outcome = measured or predicted or await_result(job)
    now, then = view.timeline.state.metrics, metrics_of(outcome, view.workspace.costs, plan)
    how = "Measured on" if measured or not predicted else "**Predicted** from slopes, rough where many go, for"
    st.markdown(f"**{more} would go.** {how} {then.images} validation images, before fine-tuning:")
    what, values, changes = zip(*wording.facts(then, now), strict=True)
    st.dataframe({"": what, "Then": values, "Change": changes}, hide_index=True)
    st.button(
        f"Remove {more}", type="primary", width="stretch", on_click=attempt,
        args=(remove, view, plan, f"{more} below a threshold of {chosen.title}"),
    )  # fmt: skip
    if outcome is predicted:
        explain_end(job)
        follow(job, drawn)


def widths_of(view: View, plan: Tensor) -> list[LayerWidth]:
    """Every layer with what a plan leaves of it, of the network as loaded."""
    gone = view.workspace.network.units.by_layer(plan)
    return [LayerWidth(name, int((~part).sum()), len(part)) for name, part in gone.items()]
