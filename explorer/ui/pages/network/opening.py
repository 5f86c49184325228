"""The dialog that opens one's own network; what is open stays open where that fails."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from explorer.core.errors import BadInput
from explorer.core.text import markdown
from explorer.networks.load import ExportFile, network_file
from explorer.networks.preparation import Preparation
from explorer.ui.elements import say
from explorer.ui.elements.boundary import boundary
from explorer.ui.elements.image_fields import changes_fields, data_field
from explorer.ui.work.session import open_new
from explorer.ui.work.workspace import Source, keep_upload


def show(dialog: str | None) -> None:
    """Which dialog this tab has open; each time with fresh fields."""
    st.session_state["dialog"] = dialog
    st.session_state["openings"] = st.session_state.get("openings", 0) + 1


def arch_field(placeholder: str) -> str | None:
    """An architecture by name."""
    from explorer.networks.architectures.families import FAMILIES, known_architectures

    typed = [f"{name}'s are typed, for example {name}:{each.typed}." for name, each in FAMILIES.items() if each.typed]
    return st.selectbox(
        "Architecture",
        known_architectures(),
        None,
        placeholder=placeholder,
        key=field_key("arch"),
        help=" ".join(typed),
        accept_new_options=True,
    )


def field_key(field: str) -> str:
    """The key of a field, another one each time that a dialog opens."""
    return f"open-{st.session_state.get('openings', 0)}-{field}"


@st.dialog("Open another network", width="medium", on_dismiss=lambda: show(None))
@boundary()
def opening() -> None:
    """Open one's own checkpoint or export."""
    uploaded = st.file_uploader(
        "Checkpoint or export",
        key=field_key("file"),
        help="Of any suffix: the content decides. Code in a file never runs.",
    )
    arch = arch_field("as the file says, or recognised")
    data = data_field(field_key("images"))
    about, fields = st.empty(), st.container()
    pressed = st.button("Open", type="primary", disabled=uploaded is None)
    said = st.empty()
    try:
        found = _prepared(uploaded, arch) if uploaded else None
        if found:
            say.caption(f"Preprocessing: {found.describe()}", about)
        with fields:
            usual = found.preprocessing if found and found.channels is None else None
            changes = changes_fields(field_key("images"), usual, found is not None and found.channels is not None)
        if pressed and uploaded is not None and found:
            with st.spinner(markdown(f"Opening {uploaded.name}")):
                _open(uploaded, found, Source(name=uploaded.name, arch=arch, data=data, changes=changes))
            show(None)
            st.rerun()
    except BadInput as problem:
        (say.error if pressed else say.warning)(problem, said)


def _prepared(uploaded: Any, arch: str | None) -> Preparation:
    with st.spinner(markdown(f"Checking {uploaded.name}")):
        return _looked_into(uploaded.file_id, uploaded.name, arch, uploaded)


@st.cache_data(max_entries=8, show_spinner=False)
def _looked_into(file: str, name: str, arch: str | None, _uploaded: Any) -> Preparation:
    found = network_file(_uploaded.getvalue(), name, arch=arch)
    if isinstance(found, ExportFile):
        found.module()  # a graph that can't be rebuilt is refused at once; a checkpoint has none
    return found.preparation


def _open(uploaded: Any, found: Preparation, wanted: Source) -> None:
    """Keep the checked bytes and start a run on them."""
    found.with_changes(wanted.changes)  # refuses at once
    open_new(replace(wanted, network=keep_upload(uploaded.getvalue())))
