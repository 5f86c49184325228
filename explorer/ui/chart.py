"""A figure on a page."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from explorer.figures.style import alt_text


def chart(figure: go.Figure, key: str) -> None:
    """A figure at full width, with its sentence for those who can't see it."""
    st.plotly_chart(figure, key=key, alt=alt_text(figure), config={"displayModeBar": False})


def clickable_chart(figure: go.Figure, key: str) -> int | None:
    """The same, and the customdata of the point that is chosen by a click."""
    picked = st.plotly_chart(
        figure, key=key, alt=alt_text(figure), config={"displayModeBar": False}, on_select="rerun",
        selection_mode="points",
    )  # fmt: skip
    points = picked["selection"]["points"]
    return int(points[0]["customdata"]) if points else None
