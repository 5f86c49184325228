"""Stills: validation images as pictures for a page."""

from __future__ import annotations

import streamlit as st

from explorer.data.viewing import view_note, viewable
from explorer.figures.thumbnail import photo
from explorer.ui.work.workspace import Workspace

SMALL = 80  # pixels, up to which single pixels are shown as squares


@st.cache_data(max_entries=32, show_spinner=False)
def stills(key: str, positions: tuple[int, ...], _workspace: Workspace) -> tuple[list[tuple[str, bool]], str]:
    """Data URI of each validation image, and whether it is small; how they are drawn. key: the workspace's."""
    found = [_workspace.validation.still(position).permute(1, 2, 0).numpy() for position in positions]
    return [(photo(viewable(pixels)), max(pixels.shape[:2]) <= SMALL) for pixels in found], view_note(found[0])
