"""Components: drawn in the browser by the .html, .css and .js beside a Python file."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from explorer.core.palette import mark_variables


def component(file: str) -> ComponentRenderer:
    """The component of the files beside this Python `file`, called as it is. Its CSS has the palette's marks."""
    path = Path(file)
    html, css, js = (path.with_suffix(end).read_text(encoding="utf-8") for end in (".html", ".css", ".js"))
    marks = f":host {{ {mark_variables()} }}\n"
    return st.components.v2.component(f"explorer_{path.stem}", html=html, css=marks + css, js=js)
