"""The units to choose from, each as the picture of its feature map on one image."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import streamlit as st
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from explorer.core.text import counted
from explorer.figures.thumbnail import contact_sheet
from explorer.networks.feature_maps import unit_maps
from explorer.pruning.challenge import Challenge, image_drawn
from explorer.ui.components.picks.picks import Board, PickLayer, PictureSheet, picks
from explorer.ui.elements import say
from explorer.ui.pages.challenge.asked import picked, set_picked
from explorer.ui.pages.challenge.contest import NAMES, YOU, Contenders
from explorer.ui.work.session import View
from explorer.ui.work.stills import stills
from explorer.ui.work.workspace import Workspace

MOST_SEEN = 600  # units whose pictures are seen at once; of larger networks those of one layer
SIDE = 24  # pixels of a picture, at most
LAYER = "challenge-layer"


def units_to_choose(view: View, challenge: Challenge, found: Contenders | None) -> None:
    """The image, and every unit's feature map of it; found: the contest over the person's choice, once measured."""
    workspace, network = view.loaded, view.loaded.network
    image = image_drawn(len(workspace.validation), challenge.seed)
    names = [layer.name for layer in network.units.layers]
    single = len(network.units) > MOST_SEEN
    asked = st.session_state.get(LAYER)  # maybe of another network
    shown = (asked if asked in names else names[0]) if single else None
    sheets = _sheets(workspace.key, image, shown, workspace)
    also = _also(view, found)
    layers = [
        PickLayer(each.name, each.channels, sheets.get(each.name), also[each.name]) for each in network.units.layers
    ]
    say.subheader(f"Which {counted(challenge.count, 'unit')} can go?")
    say.caption("The network as loaded. Choose units that it can do without; every layer keeps at least one.")
    _image(workspace, image)
    others = {name: title for name, title in NAMES.items() if name != YOU}
    picks(
        Board(layers, challenge.count, others, single),
        picked(network),
        key="picks",
        on_pick=lambda chosen: set_picked(network, chosen),
        on_layer=lambda name: st.session_state.update({LAYER: name}),
    )
    where = "Click a layer's name to see its units. " if single else ""
    say.caption(f"{where}Yellow: strong, up to the largest value of the layer.")


def _image(workspace: Workspace, image: int) -> None:
    (((source, _),), _) = stills(workspace.key, (image,), workspace)
    (_, label), *_ = workspace.validation.picked([image])
    with st.container(horizontal=True, vertical_alignment="center", key="seen"):
        st.html(
            f'<img src="{source}" alt="The image" style="height:56px;image-rendering:pixelated;border-radius:4px">',
            width="content",
        )
        say.caption(
            f"Each picture is what a unit makes of this image, a {workspace.network.classes[int(label[0])]}: number "
            f"{image + 1:,} of {len(workspace.validation):,} validation images, drawn by the seed."
        )


@st.cache_resource(max_entries=64, show_spinner="Running the image through the network")
def _sheets(key: str, image: int, layer: str | None, _workspace: Workspace) -> dict[str, PictureSheet]:
    """Layer -> pictures of its units; only of one layer where that is named."""
    ((x, _),) = _workspace.validation.picked([image])
    maps = unit_maps(_workspace.network, x[0])
    return {name: _sheet(z) for name, z in maps.items() if layer in (None, name)}


def _sheet(maps: Tensor) -> PictureSheet:
    """maps (units, H, W)."""
    size = min(SIDE, maps.shape[-2]), min(SIDE, maps.shape[-1])
    small = adaptive_avg_pool2d(maps.float()[None], size)[0].numpy()
    return PictureSheet(*contact_sheet(small, float(small.max())))


def _also(view: View, found: Contenders | None) -> Mapping[str, dict[int, list[str]]]:
    """Layer -> channel -> who else chose it; of chance, whose draws differ, nothing."""
    also: Mapping[str, dict[int, list[str]]] = defaultdict(dict)
    for name, each in (found or {}).items():
        if name == YOU or len(each.plans) > 1:
            continue
        for unit in each.plans[0].nonzero()[:, 0].tolist():
            layer, channel = view.loaded.network.units.labels[unit]
            also[layer].setdefault(channel, []).append(name)
    return also
