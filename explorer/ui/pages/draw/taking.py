"""Taking a picture: drawn on a canvas, by the camera, or from a file."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from io import BytesIO
from typing import NamedTuple

import numpy as np
import streamlit as st
import torch
from PIL import Image

from explorer.core.documents import sha256
from explorer.core.errors import BadInput
from explorer.core.palette import BLACK, BLUE, GREEN, ORANGE, VERMILION, WHITE
from explorer.data.bands import COLOURS
from explorer.data.decoding import decode_bytes
from explorer.data.drawing import InputForm, Prepared, from_canvas, from_picture, why_not_by_hand
from explorer.data.viewing import viewable
from explorer.ui.components.canvas.canvas import BLANK, EXAMPLE, IMAGE, Drawn, Sheet, canvas
from explorer.ui.elements import say
from explorer.ui.pages.draw.asked import OwnPicture
from explorer.ui.work.workspace import Workspace

DRAW, CAMERA, FILE = "draw", "camera", "file"
WAYS = {DRAW: "Draw", CAMERA: "Camera", FILE: "File"}
PRIVATE = "It goes to this server alone, is not kept, and nothing is sent to anybody else."
PLACING = "Scale and move what you draw to the size and the place that the network's own images have."
WITHOUT_IMAGES = "No images say what they look like, so the ground is chosen by the mean of the preprocessing:"
PNG = "data:image/png;base64,"
FIT = "draw-fit"
MOST = 4_000_000  # characters that a canvas may send
GREY_INK = {True: WHITE, False: BLACK}  # on a dark ground, on a light one
COLOUR_INKS = (("Black", BLACK), ("Blue", BLUE), ("Green", GREEN), ("Red", VERMILION), ("Yellow", ORANGE))


def taken(workspace: Workspace, form: InputForm, said: Callable[[OwnPicture], str]) -> OwnPicture | None:
    """The picture that a person has given, by one of the ways; None before there is one. Raises BadInput for others.

    said: what the network says of a drawing, in a few words, to stand under it where the page is narrow.
    """
    by_hand = why_not_by_hand(form)
    colours = form.preprocessing.channels in COLOURS
    ways = [*([] if by_hand else [DRAW]), *([CAMERA] if colours else []), FILE]
    way = st.segmented_control(
        "Picture",
        ways,
        default=ways[0],
        required=True,
        key="draw-way",
        label_visibility="collapsed",
        format_func=WAYS.__getitem__,
        persist_state="session",
    )
    if by_hand:
        say.caption(by_hand)
    if way == DRAW:
        return _drawn(workspace, form, said)
    given = st.camera_input("Camera", help=PRIVATE) if way == CAMERA else st.file_uploader("Picture", help=PRIVATE)
    if given is None:
        return None
    picture = decode_bytes(given.getvalue(), given.name, form.preprocessing.channels)
    return _taken(from_picture(picture, form))


class _Drawing(NamedTuple):
    """What is on a tab's canvas."""

    network: str  # the key of its workspace
    drawn: Drawn
    label: int | None = None  # of the image that it is, or was before it was changed
    position: int = 0  # of the image that comes next, among those of validation


def _drawn(workspace: Workspace, form: InputForm, said: Callable[[OwnPicture], str]) -> OwnPicture | None:
    now = _now(workspace, form)
    picture = _on_canvas(now, form) if now.drawn.picture else None
    size = (form.fineness * form.width, form.fineness * form.height)
    ground, inks = _colours(form)
    sheet = Sheet(*size, form.fineness, ground, inks, said(picture) if picture else "")
    with st.container(key="sheet"):  # its place is kept before the canvas comes
        canvas(sheet, now.drawn, key=f"canvas-{ground}-{form.size}", on_draw=lambda new: _keep(workspace, form, new))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if _has_images(workspace):
            st.button("One of its images", key="draw-image", on_click=_put_image, args=(workspace, form))
        if form.habits.framing:
            st.toggle("Place it like its images", True, key=FIT, help=PLACING, persist_state="session")
    if workspace.given is None and form.preprocessing.channels == 1:
        say.caption(f"{WITHOUT_IMAGES} {form.preprocessing.mean[0]:g} of 1.")
    return picture


def _on_canvas(now: _Drawing, form: InputForm) -> OwnPicture:
    """What is on the canvas; images lie where they lay, also where something was drawn into them."""
    fit = now.drawn.on == BLANK and bool(st.session_state.get(FIT, True))
    return _taken(from_canvas(canvas_pixels(now.drawn.picture, form), form, fit=fit), now.label)


def _now(workspace: Workspace, form: InputForm) -> _Drawing:
    """What is on the canvas; at first one of the network's images, where there are some."""
    now = st.session_state.get("drawing")
    if not now or now.network != workspace.key:
        stamp = now.drawn.stamp + 1 if now else 1
        now = _Drawing(workspace.key, Drawn(stamp=stamp))
        st.session_state["drawing"] = _with_image(now, workspace, form, EXAMPLE) if _has_images(workspace) else now
    return st.session_state["drawing"]


def _keep(workspace: Workspace, form: InputForm, new: Drawn) -> None:
    now = _now(workspace, form)
    label = now.label if new.on == IMAGE and new.picture else None
    st.session_state["drawing"] = now._replace(drawn=new, label=label)


def _put_image(workspace: Workspace, form: InputForm) -> None:
    st.session_state["drawing"] = _with_image(_now(workspace, form), workspace, form, IMAGE)


def _with_image(now: _Drawing, workspace: Workspace, form: InputForm, on: str) -> _Drawing:
    """The canvas with the next image on it: each of its pixels a square."""
    pixels = viewable(workspace.validation.still(now.position).permute(1, 2, 0).numpy())
    large = pixels.repeat(form.fineness, 0).repeat(form.fineness, 1)
    label = int(workspace.images.labels[workspace.validation.indices[now.position]])
    drawn = Drawn(_uri(large), on, now.drawn.stamp + 1)
    return now._replace(drawn=drawn, label=label, position=(now.position + 1) % len(workspace.validation))


def _has_images(workspace: Workspace) -> bool:
    """Whether there are images that a canvas shows as they are: of 8 bits."""
    return workspace.given is not None and workspace.validation.still(0).dtype == torch.uint8


def _uri(pixels: np.ndarray) -> str:
    stream = BytesIO()
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(stream, "PNG")
    return PNG + base64.b64encode(stream.getvalue()).decode("ascii")


def canvas_pixels(uri: str, form: InputForm) -> np.ndarray:
    """uint8 (k * H, k * W, 1 or 3) of what a browser says is on the canvas; raises BadInput if it can't be."""
    try:
        if len(uri) > MOST or not uri.startswith(PNG):
            raise BadInput("no PNG, or too large")
        content = base64.b64decode(uri[len(PNG) :], validate=True)
        pixels = np.atleast_3d(np.asarray(decode_bytes(content, "canvas", form.preprocessing.channels)))
        if pixels.shape[:2] != (form.fineness * form.height, form.fineness * form.width):
            raise BadInput("of another size")
    except (BadInput, binascii.Error) as problem:
        raise BadInput(f"What the browser sent is not the canvas ({problem}): clear it and draw again.") from problem
    return pixels if form.preprocessing.channels == 3 else pixels[:, :, :1]


def _colours(form: InputForm) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The ground of the canvas and its inks."""
    ground = form.habits.ground
    paper = f"#{ground:02X}{ground:02X}{ground:02X}"
    pens = (("Pen", GREY_INK[ground < 128]),) if form.preprocessing.channels == 1 else COLOUR_INKS
    return paper, (*pens, ("Eraser", paper))


def _taken(prepared: Prepared, label: int | None = None) -> OwnPicture:
    shown = viewable(prepared.pixels.permute(1, 2, 0).numpy())
    return OwnPicture(prepared, sha256(prepared.x.numpy().tobytes()), shown, label)
