"""The look of one feature map: its activation over images, its kernels, and what is coupled to it."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st
import torch
from torch import Tensor

from explorer.core.text import cell, counted
from explorer.data import Batches
from explorer.data.viewing import view_note
from explorer.figures.kernel import kernel_figure
from explorer.figures.overlays import SLOTS, overlays
from explorer.networks.units import none_removed
from explorer.scoring.detail import (
    EXCITEMENT,
    Kernel,
    activation,
    coupled,
    kernel_picture,
    kernels,
    locate,
    most_exciting,
    norms,
    source,
    upsampled,
    without_normalisation,
)
from explorer.scoring.observe import Observation
from explorer.ui.elements import say
from explorer.ui.elements.chart import chart
from explorer.ui.work.progress import await_result
from explorer.ui.work.results import Scored, scoring_job
from explorer.ui.work.session import View
from explorer.ui.work.workspace import Workspace

ANY = -1  # class


class KernelSlot(NamedTuple):
    """One channel of the unit, in one of the convolutions that write it."""

    writer: str
    channel: int  # of the convolution
    place: int  # among the unit's channels there


def written_choice(view: View, unit: int) -> KernelSlot:
    """The choice among a unit's kernels; drawn only if there are several."""
    layer, row = locate(view.loaded.network.units, unit)
    options = [KernelSlot(w, c, i) for w in layer.writers for i, c in enumerate(layer.written(w)[row].tolist())]
    if len(options) == 1:
        return options[0]
    return st.selectbox(
        f"Written by {len(options)} kernels; look at",
        options,
        key=f"written-{view.loaded.key}-{unit}",
        width=320,
        format_func=lambda option: f"{option.writer}, channel {option.channel}",
    )


def images(view: View, unit: int, written: KernelSlot) -> None:
    """The images that excite the unit most, or others, with its activation over them."""
    workspace, seen = view.loaded, _seen(view.loaded)
    by, order, first = _images_choice(workspace, seen, unit)
    if not len(order):
        say.info(f"None of {workspace.calibrated_on} is of this class.")
        return
    chosen = order[first - 1 : first - 1 + SLOTS]
    x, labels = _picked(workspace.calibration, chosen)
    maps = upsampled(activation(workspace.network, unit, x, written.writer), *x.shape[-2:])
    names = [workspace.network.classes[label] for label in labels]
    strength = getattr(seen, by)[chosen, unit].tolist()
    hover = [_hover(workspace, seen, unit, i, name) for i, name in zip(chosen.tolist(), names, strict=True)]
    pictures = without_normalisation(x, workspace.network.preprocessing)
    chart(overlays(pictures, maps, names, strength, hover), "unit-overlays")
    how = view_note(workspace.calibration.still(int(chosen[0])).permute(1, 2, 0).numpy())
    say.caption(" ".join(filter(None, (_about_images(view, unit, by, written, float(abs(maps).max())), how))))


def _images_choice(workspace: Workspace, seen: Observation, unit: int) -> tuple[str, Tensor, int]:
    """By what images are put in order, that order, and from which place on they are shown."""
    classes = workspace.network.classes
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        by = st.segmented_control(
            "Images by",
            list(EXCITEMENT),
            default="mean",
            format_func=EXCITEMENT.__getitem__,
            key="unit-images-by",
            persist_state="session",
            required=True,
        )
        label = st.selectbox(
            "Of",
            [ANY, *range(len(classes))],
            format_func=lambda i: "any class" if i == ANY else classes[i],
            key=f"unit-class-{workspace.key}",
            persist_state="session",
            width=200,
        )
        order = most_exciting(seen, unit, by, None if label == ANY else label)
        first = st.number_input(
            f"From place, of {len(order)}", 1, max(1, len(order)), 1, SLOTS, key=f"unit-first-{label}", width=150
        )
    return by, order, first


def _seen(workspace: Workspace) -> Observation:
    """The observation of the calibration images in the network as loaded."""
    scored = scoring_job(workspace, none_removed(workspace.network.units))
    found: Observation = await_result(scored, _has_seen).evidence.seen
    return found


def _has_seen(found: Scored) -> bool:
    return found.evidence is not None and found.evidence.seen is not None


def _picked(batches: Batches, chosen: Tensor) -> tuple[Tensor, list[int]]:
    x, y = zip(*batches.picked(chosen), strict=True)
    return torch.cat(x), torch.cat(y).tolist()


def _hover(workspace: Workspace, seen: Observation, unit: int, image: int, label: str) -> str:
    name = workspace.images.image_name(int(workspace.calibration.indices[image]))
    values = [f"{what} {float(getattr(seen, by)[image, unit]):.4g}" for by, what in EXCITEMENT.items()]
    return "<br>".join((f"<b>{label}</b>", name, *values, f"positive at {float(seen.positive[image, unit]):.0%}"))


def _about_images(view: View, unit: int, by: str, written: KernelSlot, top: float) -> str:
    layer, _ = locate(view.loaded.network.units, unit)
    several = len(layer.writers) > 1 or layer.written(written.writer).shape[1] > 1
    which = f" The map is what {written.writer} writes; the figures are of all kernels together." if several else ""
    over_time = " Clips: means over time." if view.loaded.images.clips else ""
    if not _seen(view.loaded).mean_square[:, unit].any():
        return f"This unit is silent: zero on {view.loaded.calibrated_on}, in the network as loaded."
    return (
        f"Above each image its class and the unit's {EXCITEMENT[by]}. Below, yellow: activation, up to {top:.3g}; "
        f"blue: below zero.{which}{over_time} Network as loaded, on {view.loaded.calibrated_on}."
    )


def kernel(view: View, unit: int, written: KernelSlot) -> None:
    """The kernel, and the inputs that weigh most in it."""
    say.body("**Its kernel**")
    network = view.loaded.network
    chosen = next(each for each in kernels(network, unit) if each.writer == written.writer)
    picture = kernel_picture(chosen, written.place)
    names = [_input(view, written.writer, channel) for channel in picture.channels]
    figure = kernel_figure(picture.whole, picture.slices, names, picture.shares, signed=picture.signed)
    chart(figure, "unit-kernel")
    say.caption(_about_kernel(view, unit, chosen, written, len(names)))


def _input(view: View, writer: str, channel: int) -> str:
    units = view.loaded.network.units
    behind = source(units, writer, channel)
    if behind is None:
        return f"input {channel}"
    layer, original = units.labels[behind]
    return f"{layer}, {original}" + (" †" if view.removed[behind] else "")


def _about_kernel(view: View, unit: int, chosen: Kernel, written: KernelSlot, slices: int) -> str:
    size = "×".join(map(str, chosen.weights.shape[2:]))
    inputs = counted(chosen.weights.shape[1], "input channel")
    most = " The inputs that weigh most, with their share of the sum of |weights|; † removed." if slices else ""
    bias = "no bias" if chosen.bias is None else f"bias {float(chosen.bias[written.place]):.4g}"
    over = [f"{n.module}: scale {_listed(n.scale)}, shift {_listed(n.shift)}" for n in norms(view.loaded.network, unit)]
    normed = f" Batch-norm {'; '.join(over)}." if over else ""
    ink = "Red, green and blue as they weigh; grey is 0." if chosen.colours else "Blue positive, vermilion negative."
    return f"{chosen.writer}: {size} over {inputs}, {bias}. {ink}{most}{normed}"


def _listed(values: Tensor) -> str:
    return ", ".join(f"{value:.3g}" for value in values.tolist())


def coupling(view: View, unit: int) -> None:
    """Every channel that goes with the unit."""
    say.body("**What goes with it**")
    found = coupled(view.loaded.network, unit)
    st.dataframe(
        {
            "Module": [cell(each.module) for each in found],
            "Kind": [each.kind for each in found],
            "Side": ["writes" if each.side == "out" else "reads" for each in found],
            "Channels": [f"{_ranges(each.channels)} of {each.width:,}" for each in found],
        },
        hide_index=True,
        height="content" if len(found) <= 6 else 246,
    )


def _ranges(channels: tuple[int, ...]) -> str:
    """ "3", "0, 3", or of many "48 from 96 to 143"."""
    if len(channels) <= 4:
        return ", ".join(map(str, channels))
    return f"{len(channels)} from {min(channels)} to {max(channels)}"
