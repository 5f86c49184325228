"""Network page: what is loaded, how good it is, and where to load one's own."""

from __future__ import annotations

from html import escape

import streamlit as st

from explorer.core.palette import ORANGE
from explorer.core.text import cell, counted
from explorer.figures.confusion import confusion
from explorer.figures.layer_overview import LayerCost, layer_overview
from explorer.networks.costs import FLOPS_CONVENTION
from explorer.networks.layers import list_layers
from explorer.networks.units import none_removed
from explorer.ui.choosing.steps import attempt
from explorer.ui.elements import say
from explorer.ui.elements.chart import chart
from explorer.ui.pages.network.first_look import first_look
from explorer.ui.pages.network.opening import opening, show
from explorer.ui.pages.network.predictions import predictions
from explorer.ui.pages.network.runs import runs
from explorer.ui.pages.network.tuning_form import tuning_form
from explorer.ui.pages.network.tuning_panel import panel
from explorer.ui.pages.network.tunings import in_view
from explorer.ui.work.results import why_no_export
from explorer.ui.work.session import View, await_outcome, open_new
from explorer.ui.work.workspace import Source, Workspace

DIALOGS = {"open": opening, "tune": tuning_form, "runs": runs}
WITHOUT_IMAGES = (
    "No images yet: criteria that read weights, structure, costs, pruning and export are there. Images would add loss "
    "and accuracy, criteria that look at them, the oracle and fine-tuning: open the network again with images."
)
MOST_ROWS, TALL = 14, 520  # rows up to which the layer table is shown whole; pixels of a longer one
COLUMNS = {
    "Layer": st.column_config.TextColumn(width=150),
    "Units": st.column_config.NumberColumn(format="localized", width=60, help="Feature maps that can go one by one."),
    "Channels": st.column_config.NumberColumn(format="localized", width=80, help="Channels that the layer writes."),
    "Parameters": st.column_config.NumberColumn(format="localized", width=95, help="Weights and biases."),
    "MFLOPs": st.column_config.NumberColumn(format="%.3f", width=85, help="Million operations for one image."),
    "Share of FLOPs": st.column_config.ProgressColumn(
        format="%.1f %%", min_value=0, max_value=100, color=ORANGE, width=125
    ),
    "Prunable": st.column_config.TextColumn(width=280, help="yes, or the reason why not."),
}
STYLE = """
<style>
.facts { display: grid; grid-template-columns: max-content 1fr; gap: 0.15rem 0.9rem; margin: 0; font-size: 0.88rem; }
.facts dt { color: var(--muted); } .facts dd { margin: 0; overflow-wrap: anywhere; }
</style>
"""


def page(view: View) -> None:
    """Answer: what is this network, and what do its layers cost?"""
    workspace = view.loaded
    if dialog := DIALOGS.get(str(st.session_state.get("dialog"))):
        dialog()
    if tuning := in_view():
        panel(tuning)
    first_look(view)
    left, right = st.columns([2.6, 1], gap="large")
    with left:
        say.subheader("Where the FLOPs and parameters are")
        chart(layer_overview(_costs(workspace)), "overview")
        say.caption(f"Network as loaded, before any pruning. {FLOPS_CONVENTION}.")
    with right:
        say.subheader("What is loaded")
        st.html(_description(workspace))
        if workspace.given is None:
            say.info(WITHOUT_IMAGES)
        elif account := workspace.images.account():
            say.warning(account)
        with st.container(horizontal=True):
            st.button("Open another network", on_click=show, args=("open",))
            st.button("Fine-tune a network", on_click=show, args=("tune",))
            st.button("Runs", on_click=show, args=("runs",), help="All runs of this work folder, to open one again.")
            st.button("Open the demo anew", on_click=attempt, args=(open_new, Source()))
    table, quality = st.columns([1.9, 1], gap="large")
    with table:
        say.subheader("Layers")
        _layers(workspace)
    if workspace.given is None:
        return
    with quality:
        say.subheader("Right and wrong")
        classes = workspace.network.classes
        found = await_outcome(workspace, none_removed(workspace.network.units))
        chart(confusion(found.confusion(len(classes)).numpy(), classes), "confusion")
        say.caption(
            f"{found.accuracy:.1%} right, loss {found.loss:.4f} nats, on {workspace.validated_on}, before pruning."
        )
    predictions(workspace, found)


def _costs(workspace: Workspace) -> list[LayerCost]:
    units, costs = workspace.network.units, workspace.costs
    flops, parameters = costs.flops_by_module(), costs.parameters_by_module()
    return [
        LayerCost(m.name, m.writes, flops[m.name], parameters[m.name], units.unprunable.get(m.name, ""))
        for m in costs.modules
        if m.kind != "by channel"
    ]


def _layers(workspace: Workspace) -> None:
    """The layer table."""
    layers = list_layers(workspace.network, workspace.costs)
    total = sum(layer.flops for layer in layers)
    st.dataframe(
        {
            "Layer": [cell(layer.name) for layer in layers],
            "Units": [layer.units for layer in layers],
            "Channels": [layer.channels for layer in layers],
            "Parameters": [layer.parameters for layer in layers],
            "MFLOPs": [layer.flops / 1e6 for layer in layers],
            "Share of FLOPs": [100 * layer.flops / total for layer in layers],
            "Prunable": [cell(layer.reason or "yes") for layer in layers],
        },
        hide_index=True,
        height=TALL if len(layers) > MOST_ROWS else "content",
        column_config=COLUMNS,
    )
    say.caption(
        f"{counted(len(workspace.network.units), 'unit')} in {len(workspace.network.units.layers)} "
        f"layers, {workspace.costs.parameters():,} parameters and {total / 1e6:,.2f} MFLOPs in all, for "
        f"one image of {'×'.join(map(str, workspace.network.input_shape))}, before any pruning. "
        f"{FLOPS_CONVENTION}. Units that several layers write together are counted with the first of them."
    )


def _description(workspace: Workspace) -> str:
    network = workspace.network
    problem = why_no_export(workspace.key, workspace)
    names = ", ".join(network.classes[:12]) + ("…" if len(network.classes) > 12 else "")
    rows = {
        "Architecture": network.arch,
        "Input": f"{'×'.join(map(str, network.input_shape))}; {network.preprocessing.describe()}",
        "Classes": f"{len(network.classes)}: {names}",
        "Prunable": f"{len(network.units):,} units in {len(network.units.layers)} layers",
        **({"Outputs": network.remark} if network.remark else {}),
        **({"Weights": network.origin} if network.origin else {}),
        **({"Export": problem} if problem else {}),
        "Images": workspace.images.describe() if workspace.given else "none yet",
        "Digest": network.digest[:12],
    }
    cells = "".join(f"<dt>{what}</dt><dd>{escape(value)}</dd>" for what, value in rows.items())
    return f"{STYLE}<dl class='facts'>{cells}</dl>"
