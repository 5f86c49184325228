"""The Streamlit script: pages, the header above them, and the sentence that a bad input gets."""

from __future__ import annotations

import time
from functools import partial
from importlib import import_module

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from explorer.ui.components.present import present
from explorer.ui.elements import say, terms
from explorer.ui.elements.readable import readable
from explorer.ui.frame import imports
from explorer.ui.lesson import taken
from explorer.ui.work.address import TURN_TO, run_id
from explorer.ui.work.visitors import SHARED, in_foreign_workspace, visitor

PAGES = ("network", "draw", "saliency", "oracle", "prune", "compare", "challenge", "export", "paper")
WITHOUT_IMAGES = {
    "oracle": "With images this page measures what removing each unit does, and which criterion knows it before.",
    "compare": "With images this page compares criteria: at once, in a race with fine-tuning, and in the next step.",
    "challenge": "With images this page measures a choice by hand beside Taylor's, the joint choice's and chance's.",
    "paper": "With images, the command below measures the paper's tables and figures on this network too.",
}
NEED_IMAGES = ("oracle", "compare", "challenge")
ABOUT_UNITS = ("saliency", "oracle", "prune", "compare", "challenge")  # pages that need some
# What comes late has its place before (the strip with its names, fields with theirs), and what goes again takes none.
LAYOUT = """
<style>
[data-testid="stMainBlockContainer"] { padding-top: 4.2rem; padding-bottom: 3.5rem; }
.st-key-strip { min-height: 107px; }
.st-key-sheet { min-height: 456px; } .st-key-at-once { min-height: 241px; }
.st-key-line-and-curve { min-height: 339px; --drawn: 292px; }
.st-key-outcome { min-height: 5rem; }
.st-key-line-alone { min-height: 227px; }
.st-key-criterion, .st-key-scaling, .st-key-price, .st-key-beside, .st-key-measure, [class*="st-key-target"],
[class*="st-key-export-state"] { min-height: 63px; }
.st-key-insight { min-height: 3rem; }
.st-key-play { min-height: 452px; }
.st-key-seen { min-height: 60px; } .st-key-picks { min-height: 600px; }
.st-key-blank { position: absolute; visibility: hidden; }
[data-testid="stElementContainer"]:has(> [data-testid="stSpinner"]) { position: absolute; }
@media (max-width: 640px) {
  .st-key-play { min-height: 524px; }
  .st-key-seen { min-height: 153px; }
  [data-testid="stColumn"]:has(+ [data-testid="stColumn"] .st-key-side) { min-height: 100vh; }
}
@media (max-height: 560px) {
  [data-testid="stMainBlockContainer"] { padding-top: 3.4rem; }
  .st-key-strip { min-height: 62px; }
}
</style>
"""
WIDENED = 0.15  # seconds in which a browser that opens the app draws it empty and as wide as it will be


def main() -> None:
    """Draw the page that the address names."""
    st.set_page_config(page_title="Pruning Explorer", page_icon="✂️", layout="wide")
    st.html(LAYOUT + terms.STYLE + present.STYLE)
    readable()
    terms.begin()
    if "fetched" not in st.session_state:
        time.sleep(WIDENED)  # else all that it draws first would move
    visitor(), run_id()  # before the navigation: else the browser's history gets an address without them as well
    taken.keep_place()
    page = st.navigation([*(_page(name) for name in PAGES), _first_by_name()], position="top")
    blank = st.empty()
    imports.wait_for(*imports.FIGURES)
    if "fetched" not in st.session_state:  # the browser fetches what draws figures while the engine is being imported
        st.session_state["fetched"] = True
        blank.plotly_chart({"data": [{"type": "scatter"}], "layout": {"height": 10}}, key="blank")
    if in_foreign_workspace():
        say.caption(SHARED)
    try:
        page.run()
        blank.empty()
    finally:  # below the page, also one that ends early: it moves nothing before it is styled
        present.presenter()


def _page(name: str) -> StreamlitPage:
    first = name == PAGES[0]
    return st.Page(partial(_draw, name), title=name.capitalize(), url_path="" if first else name, default=first)


def _first_by_name() -> StreamlitPage:
    """The first page once more: its address has no name, but people type one."""
    return st.Page(partial(_draw, PAGES[0]), title=PAGES[0].capitalize(), url_path=PAGES[0], visibility="hidden")


def _draw(name: str) -> None:
    """Header and page; the engine is imported only now, and a page's module when it is first opened."""
    imports.wait_for(*imports.ENGINE, *imports.FRAME)
    from explorer.ui.elements.boundary import boundary

    with boundary(f"the page {name}"):
        imports.wait_for(imports.page(name))
        from explorer.networks.layers import check_prunable
        from explorer.ui.choosing.steps import await_played, problems
        from explorer.ui.frame.header import header
        from explorer.ui.frame.linked_state import linked_state
        from explorer.ui.frame.unknown_run import unknown_run
        from explorer.ui.lesson.panel import lesson_panel, page_of_link, tell_seen
        from explorer.ui.work.session import current_view, is_known

        to = st.session_state.pop(TURN_TO, None) or page_of_link(name, PAGES[0])
        if to and to != name:
            st.switch_page(_page(to))
        if not is_known(run_id()):
            unknown_run(run_id())
            return
        view = current_view()
        if clicked := header(view, name.capitalize()):
            st.session_state["threshold-layer"] = clicked
            st.switch_page(_page("saliency"))
        panel = lesson_panel(view, name)
        linked_state(view)
        problems(view)
        if name in ABOUT_UNITS:
            check_prunable(view.loaded.network)
        if view.loaded.given is None and name in WITHOUT_IMAGES:
            say.info(f"This run has no images yet. {WITHOUT_IMAGES[name]}")
            if name in NEED_IMAGES:
                return
        import_module(imports.page(name)).page(view)
        tell_seen(view, panel)
        await_played(view)


if __name__ == "__main__":
    main()
