"""Imports: by one thread at a time, and whole before a session needs them.

Python keeps two threads from importing one module at once, but not a library from looking another one up in
`sys.modules` while a thread is still half through importing it: so plotly looks for pandas whenever it writes a figure.
"""

from __future__ import annotations

import threading
from importlib import import_module

FIGURES = ("numpy", "pandas", "pyarrow", "PIL.Image", "plotly.io", "plotly.graph_objects")  # looked up, not imported
ENGINE = (
    "explorer.networks.load",
    "explorer.evaluation.evaluate",
    "explorer.figures.layer_overview",
    "explorer.figures.confusion",
)
SERVER = ("streamlit.web.cli", "streamlit.dataframe_util")  # before parts that import Streamlit: it is whole then
FRAME = (
    "explorer.ui.elements.boundary",
    "explorer.networks.layers",
    "explorer.ui.frame.header",
    "explorer.ui.frame.linked_state",
    "explorer.ui.frame.unknown_run",
    "explorer.ui.lesson.panel",
    "explorer.ui.work.session",
    "explorer.ui.choosing.steps",
)
_LOCK = threading.Lock()
_WHOLE: set[str] = set()


def wait_for(*names: str) -> None:
    """Return once these modules are imported; wait for other threads that import in this way."""
    if _WHOLE.issuperset(names):
        return
    with _LOCK:
        for name in names:
            import_module(name)
        _WHOLE.update(names)


def page(name: str) -> str:
    """The module of a page."""
    return f"explorer.ui.pages.{name}.page"
