"""Header of every page: the network strip and the state bar with undo and redo."""

from __future__ import annotations

from html import escape

import streamlit as st

from explorer.runs import timeline as timelines
from explorer.ui.choosing.steps import attempt
from explorer.ui.components.strip.strip import StripLayer, network_strip
from explorer.ui.elements import terms, wording
from explorer.ui.work.changes import move
from explorer.ui.work.run_jobs import button_state, why_busy
from explorer.ui.work.session import View

STYLE = """
<style>
.state-bar { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.2rem 1.6rem; }
.state-bar .name { font-weight: 600; font-size: 1.05rem; }
.state-bar .fact { display: inline-flex; align-items: baseline; gap: 0.35rem; white-space: nowrap; }
.state-bar .what { color: var(--muted); font-size: 0.82rem; }
.state-bar .value { font-weight: 600; font-variant-numeric: tabular-nums; }
.state-bar .change { color: var(--muted); font-size: 0.8rem; font-variant-numeric: tabular-nums; }
</style>
"""


def header(view: View, page: str) -> str | None:
    """Draw bar and strip of a page of this name; the layer that was clicked on the strip in this run, if any."""
    bar, buttons = st.columns([5, 1], vertical_alignment="center")
    bar.html(STYLE + _state_bar(view, page))
    with buttons.container(horizontal=True, horizontal_alignment="right", gap="small"):
        timeline = view.timeline
        at_root, at_tip = timeline.state.parent is None, timelines.forward(timeline) == timeline
        reason = why_busy(view.run)
        st.button(
            "Undo",
            key="undo",
            on_click=attempt,
            args=(move, view, timelines.back),
            **button_state(reason, disabled=at_root, help="One state back"),
        )
        st.button(
            "Redo",
            key="redo",
            on_click=attempt,
            args=(move, view, timelines.forward),
            **button_state(reason, disabled=at_tip),
        )
    layers = strip_layers(view)
    return network_strip(layers, key="strip", selected=st.session_state.get("threshold-layer")) if layers else None


def strip_layers(view: View) -> list[StripLayer]:
    """The columns of the strip: each layer's share of units kept, and the FLOPs that its convolutions still cost."""
    units, flops = view.workspace.network.units, view.workspace.costs.flops_by_module(view.removed)
    gone = units.by_layer(view.removed)
    return [
        StripLayer(
            layer.name, int((~gone[layer.name]).sum()), len(layer), sum(flops[writer] for writer in layer.writers)
        )
        for layer in units.layers
    ]


def _state_bar(view: View, page: str) -> str:
    now, root = view.timeline.state, view.timeline.root
    place = f"state {view.timeline.current} of {max(view.timeline.states)}: {now.name or now.how}"
    facts = "".join(
        f'<span class="fact"><span class="what">{terms.explained(what, escape)}</span>'
        f'<span class="value">{value}</span><span class="change">{delta}</span></span>'
        for what, value, delta in wording.facts(now.metrics, root.metrics)
    )
    named = f'<span class="what">{escape(view.name)}</span>' if view.name else ""
    when = terms.explained(f"{now.metrics.images or 'no'} validation images, {view.stage}", escape)
    return (
        f'<div class="state-bar" role="status"><h1 class="page-name">{page}</h1>'
        f'<span class="name">{escape(view.loaded.network.name)}</span>{named}'
        f'<span class="what">{terms.explained(place, escape)}</span>{facts}<span class="what">{when}</span></div>'
    )
