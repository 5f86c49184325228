"""Network page: what is loaded, how good it is, and where to load one's own."""

from __future__ import annotations

import hashlib
from html import escape
from typing import Any

import streamlit as st

from explorer.costs import FLOPS_CONVENTION
from explorer.errors import BadInput
from explorer.export.files import write_whole
from explorer.figures.confusion import confusion
from explorer.figures.layer_overview import LayerCost, layer_overview
from explorer.load import DEMO, network_from_bytes
from explorer.networks import checkpoints
from explorer.plan import nothing
from explorer.ui.chart import chart
from explorer.ui.session import View, await_outcome, open_new
from explorer.ui.steps import attempt
from explorer.ui.workspace import Source, Workspace, upload_path

SUFFIXES = [suffix.removeprefix(".") for suffix in checkpoints.SUFFIXES]
STYLE = """
<style>
.facts { display: grid; grid-template-columns: max-content 1fr; gap: 0.15rem 0.9rem; margin: 0; font-size: 0.88rem; }
.facts dt { opacity: 0.65; } .facts dd { margin: 0; overflow-wrap: anywhere; }
</style>
"""


def page(view: View) -> None:
    """Answer: what is this network, and what do its layers cost?"""
    workspace = view.workspace
    left, right = st.columns([2.6, 1], gap="large")
    with left:
        st.subheader("Where the feature maps and FLOPs are")
        chart(layer_overview(_costs(workspace)), "overview")
        st.caption(f"Network as loaded, before any pruning. {FLOPS_CONVENTION}.")
    with right:
        st.subheader("What is loaded")
        st.html(_description(workspace))
        with st.container(horizontal=True):
            if st.button("Open another network"):
                st.session_state["openings"] = st.session_state.get("openings", 0) + 1  # a fresh uploader each time
                _loader()
            st.button("Open the demo anew", on_click=attempt, args=(open_new, Source()))
    table, quality = st.columns([1.5, 1], gap="large")
    with table:
        st.subheader("Layers")
        st.dataframe(_layer_rows(workspace), hide_index=True, height="content")
    with quality:
        st.subheader("Right and wrong")
        classes = workspace.network.classes
        found = await_outcome(workspace, nothing(workspace.network.units))
        chart(confusion(found.confusion(len(classes)).numpy(), classes), "confusion")
        st.caption(
            f"{found.accuracy:.1%} right, loss {found.loss:.4f} nats, on {workspace.validated_on}, before pruning."
        )


def _costs(workspace: Workspace) -> list[LayerCost]:
    units, costs = workspace.network.units, workspace.costs
    flops, parameters = costs.flops_by_module(), costs.parameters_by_module()
    return [
        LayerCost(m.name, m.writes, m.writes, flops[m.name], parameters[m.name], units.unprunable.get(m.name, ""))
        for m in costs.modules
        if m.kind != "batchnorm"
    ]


def _layer_rows(workspace: Workspace) -> dict[str, list[Any]]:
    """The layer table, by column."""
    layers = _costs(workspace)
    total = sum(layer.flops for layer in layers)
    return {
        "Layer": [layer.name for layer in layers],
        "Channels": [layer.channels for layer in layers],
        "Parameters": [layer.parameters for layer in layers],
        "MFLOPs": [round(layer.flops / 1e6, 3) for layer in layers],
        "Share of FLOPs": [f"{layer.flops / total:.1%}" for layer in layers],
        "Prunable": ["yes" if not layer.detail else layer.detail for layer in layers],
    }


def _description(workspace: Workspace) -> str:
    network, images = workspace.network, workspace.images
    names = ", ".join(network.classes[:12]) + ("…" if len(network.classes) > 12 else "")
    rows = {
        "Architecture": network.arch,
        "Input": f"{'×'.join(map(str, network.input_shape))}; {network.preprocessing.describe()}",
        "Classes": f"{len(network.classes)}: {names}",
        "Prunable": f"{len(network.units):,} units in {len(network.units.layers)} layers",
        "Images": images.describe(),
        "Digest": network.digest[:12],
    }
    cells = "".join(f"<dt>{what}</dt><dd>{escape(value)}</dd>" for what, value in rows.items())
    return f"{STYLE}<dl class='facts'>{cells}</dl>"


@st.dialog("Open another network", width="medium")
def _loader() -> None:
    """Open one's own checkpoint; what is open now stays open where that fails."""
    from explorer.networks.architectures import known_architectures  # late: the catalogue takes seconds to import

    uploaded = st.file_uploader(
        "Checkpoint or export", SUFFIXES, help="Weights only: files that hold code are refused."
    )
    arch = st.selectbox("Architecture", known_architectures(), None, placeholder="as the file says, or recognised")
    data = st.text_input(
        "Images", DEMO, help="demo, a folder with one sub-folder a class, or an .npz file, on the app's computer."
    )
    if st.button("Open", type="primary", disabled=uploaded is None) and uploaded is not None:
        _open(uploaded.name, uploaded.getvalue(), arch, data)


def _open(name: str, content: bytes, arch: str | None, data: str) -> None:
    """Keep the checked bytes and start a run on them; say in one sentence what is wrong with them."""
    digest = hashlib.sha256(content).hexdigest()
    try:
        with st.spinner(f"Checking {name}"):
            network_from_bytes(content, name, arch=arch)
            write_whole(upload_path(digest), content)
            open_new(Source(digest, name, arch, data.strip()))
    except BadInput as problem:
        st.error(str(problem))
        return
    st.rerun()
