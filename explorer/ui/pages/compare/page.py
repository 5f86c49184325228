"""Compare page: the criteria on equal terms, in three ways."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from explorer.ui.elements.readable import main_part
from explorer.ui.pages.compare.next_step import next_step
from explorer.ui.pages.compare.one_shot_compare import one_shot_compare
from explorer.ui.pages.compare.racing import racing
from explorer.ui.work.session import View

WAYS: dict[str, tuple[str, Callable[[View], None]]] = {
    "once": ("All at once", one_shot_compare),
    "race": ("Race with fine-tuning", racing),
    "here": ("Next step from here", next_step),
}


def page(view: View) -> None:
    """Answer: which criterion loses least, at once, with fine-tuning in between, or in the very next step?"""
    main_part()
    way = st.segmented_control(
        "How to compare",
        list(WAYS),
        default="once",
        format_func=lambda name: WAYS[str(name)][0],
        key="way",
        bind="query-params",
        persist_state="session",
        required=True,
        label_visibility="collapsed",
    )
    WAYS[str(way)][1](view)
