"""The dialog that opens one's own network: shows first what it understood; if opening fails, the present one stays
open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import streamlit as st

from explorer.core.errors import BadInput
from explorer.core.text import counted, markdown
from explorer.data import UNCHANGED, Changes, ImageSet, Preprocessing
from explorer.data.images import first_names
from explorer.networks.load import CALIBRATION, batches_for, for_classes
from explorer.networks.network import Network
from explorer.networks.preparation import sized
from explorer.ui.choosing.image_source import NONE, images_field
from explorer.ui.elements import say
from explorer.ui.elements.boundary import boundary
from explorer.ui.elements.image_fields import changes_fields
from explorer.ui.elements.understood import facts_html, images_html
from explorer.ui.work.session import open_new
from explorer.ui.work.uploaded import Recognised, images_at, recognised, thumbnails
from explorer.ui.work.visitors import drop_unused_uploads
from explorer.ui.work.workspace import Source, keep_upload, network_of

NETWORK_BOX = 190  # pixels: facts and problems of the network take the same, and what is below keeps its place


def show(dialog: str | None) -> None:
    """Open a dialog in this tab, with fresh fields each time."""
    st.session_state["dialog"] = dialog
    st.session_state["openings"] = st.session_state.get("openings", 0) + 1
    if dialog is None:
        drop_unused_uploads()


def arch_field(placeholder: str) -> str | None:
    """An architecture by name."""
    from explorer.networks.architectures.families import FAMILIES, factories_allowed, known_architectures

    typed = [f"{name}'s are typed, for example {name}:{each.typed}." for name, each in FAMILIES.items() if each.typed]
    chosen = st.selectbox(
        "Architecture",
        known_architectures(),
        None,
        placeholder=placeholder,
        key=field_key("arch"),
        help=" ".join(typed),
        accept_new_options=True,
    )
    own = st.text_input(
        "Or your own code",
        placeholder="package.module:factory",
        key=field_key("factory"),
        help="A function that returns the network; it runs on the computer of the app, where that was started with "
        "--allow-factories.",
        disabled=not factories_allowed(),
    )
    return own.strip() or chosen


def field_key(field: str) -> str:
    """The key of a field, another one each time that a dialog opens."""
    return f"open-{st.session_state.get('openings', 0)}-{field}"


class Box:
    """A place for what was understood, or for why nothing was: it shows what it did before until there is something
    else."""

    def __init__(self, name: str, at_first: str) -> None:
        self._key, self._problem = field_key(f"box-{name}"), False
        self._place = st.empty()
        self._show(*st.session_state.get(self._key, (at_first, False)))

    def draw(self, html: str) -> None:
        """Put this in place of what it shows, unless a problem was told in the meantime."""
        if not self._problem:
            self._put(html, False)

    def tell(self, problem: object) -> None:
        """Put the sentence on a problem in place of what it shows."""
        self._problem = True
        self._put(str(problem), True)

    def _put(self, content: str, problem: bool) -> None:
        if (content, problem) != st.session_state.get(self._key):
            self._show(content, problem)
            st.session_state[self._key] = content, problem

    def _show(self, content: str, problem: bool) -> None:
        say.warning(content, self._place) if problem else self._place.html(content)


@dataclass(frozen=True)
class Asked:
    """The values of the dialog's fields."""

    uploaded: Any
    arch: str | None
    where: str | None  # the images; NONE where a person has none yet
    changes: Changes


@contextmanager
def told(tell: Callable[[object], None]) -> Iterator[None]:
    """Errors in the block are told beside the fields that they are about, where they move none."""
    try:
        yield
    except BadInput as problem:
        tell(problem)


@st.dialog("Open another network", width="large", on_dismiss=lambda: show(None))
@boundary()
def opening() -> None:
    """Open one's own checkpoint or export."""
    left, right = st.columns([1, 1.15], gap="large")
    with right:
        with st.container(height=NETWORK_BOX, border=False):
            about = Box("network", _about(None, None))
        pictures, below = Box("images", images_html(None)), st.container()
    tell = partial(say.warning, place=below)
    with left:
        uploaded = st.file_uploader(
            "Checkpoint or export",
            key=field_key("file"),
            help="Of any suffix: the content decides. Code in a file never runs.",
        )
        arch = arch_field("as the file says, or recognised")
        where = images_field(field_key("images"), below, needed=False)
        fields, foot = st.container(), st.container()
    network = images = found = prepared = None
    changes = UNCHANGED
    with told(about.tell):
        found = recognised(uploaded.file_id, uploaded.name, arch, uploaded) if uploaded else None
    if found != st.session_state.get(field_key("found")):  # else what is shown is right, or soon will be
        about.draw(_about(found, None))
    st.session_state[field_key("found")] = found
    with told(tell), fields:
        changes = _changes(found)
        prepared = found.preparation.with_changes(changes) if found else None
    with told(tell):
        clips = prepared is not None and prepared.clips
        images = images_at(where, Source().seed, clips=clips) if where and where != NONE else None
    pictures.draw(images_html(images, thumbnails(images.digest, images) if images else ()))
    with told(tell):
        changes = _with_size(found, prepared, changes, images, below)
        network = _network(found, Asked(uploaded, arch, where, changes), about) if prepared else None
    about.draw(_about(found, network))
    fits = _fits(network, images, tell) if where != NONE else network is not None
    _foot(Asked(uploaded, arch, where, changes), found, foot, ready=fits)


def _changes(found: Recognised | None) -> Changes:
    """A person's values in place of the usual preprocessing."""
    unknown = found is not None and found.preparation.channels is not None
    usual = found.preparation.preprocessing if found and not unknown else None
    return changes_fields(field_key("images"), usual, unknown)


def _network(found: Recognised | None, answers: Asked, about: Box) -> Network | None:
    """The network of the file; if there can be none, the reason is told."""
    if found is None:
        return None
    with told(about.tell):
        return network_of(found.digest, found.name, found.arch, answers.changes, answers.uploaded.getvalue)
    return None


def _with_size(
    found: Recognised | None, prepared: Preprocessing | None, changes: Changes, images: ImageSet | None, place: Any
) -> Changes:
    """The changes, with the images' own size where nobody says one, and that is told; BadInput if they have none."""
    if found is None or prepared is None or images is None or not found.unsized:
        return changes
    with_size = sized(found.arch, prepared, images)
    if with_size == prepared:
        return changes
    say.caption(f"Size: {with_size.crop} pixels, as the images have, since {found.arch} says none.", place)
    return replace(changes, crop=with_size.crop)


def _fits(network: Network | None, images: ImageSet | None, tell: Callable[[object], None]) -> bool:
    """Whether there is a network, and images that it takes; if not, the reason is told."""
    if network is None or images is None:
        return False
    with told(tell):
        batches_for(for_classes(network, images.classes, images.name), images, "calibration", CALIBRATION)
        return True
    return False


def _about(found: Recognised | None, network: Network | None) -> str:
    """The box on the network."""
    rows = dict.fromkeys(("Architecture", "Outputs", "Input", "Preprocessing", "Prunable"), "")
    if found:
        rows = dict.fromkeys(rows, "…") | {"Architecture": found.arch, "Preprocessing": found.preparation.describe()}
    if network:
        rows |= _facts(network)
    return facts_html(found.name if found else "Network: none yet", rows)


def _facts(network: Network) -> Mapping[str, str]:
    units = network.units
    numbered = network.classes == tuple(map(str, range(len(network.classes))))
    names = "" if numbered else f": {first_names(network.classes)}"
    remarks = {"Weights": network.origin, "Note": network.remark}
    return {
        "Outputs": f"{len(network.classes)}{names}",
        "Input": "×".join(map(str, network.input_shape)),
        "Prunable": f"{counted(len(units), 'unit')} in {counted(len(units.layers), 'layer')}",
        **{what: said for what, said in remarks.items() if said},
    }


def _foot(answers: Asked, found: Recognised | None, foot: Any, *, ready: bool) -> None:
    """The button that opens what was understood."""
    missing = None if ready else "It opens once there is a network, and images that it takes, or none yet."
    pressed = foot.button("Open", type="primary", disabled=not ready, help=missing)
    if not (pressed and ready and found and answers.where):
        return
    try:
        with foot, st.spinner(markdown(f"Opening {found.name}")):
            keep_upload(answers.uploaded.getvalue())
            images = None if answers.where == NONE else answers.where
            open_new(Source(found.digest, found.name, found.arch, images, changes=answers.changes))
    except BadInput as problem:
        say.error(problem, foot)
        return
    show(None)
    st.rerun()
