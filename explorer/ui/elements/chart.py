"""A figure on a page."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from explorer.figures.style import alt_text


def picture_and_side(width: float) -> tuple[Any, Any]:
    """Two columns, the picture `width` times as wide; where they lie below each other, it has its height before it."""
    picture, side = st.columns([width, 1], gap="large")
    return picture, side.container(key="side")  # which comes first: the style of the app goes by that


def chart(figure: go.Figure, key: str) -> None:
    """A figure at full width, with its sentence for those who can't see it."""
    st.plotly_chart(figure, key=key, alt=alt_text(figure), config={"displayModeBar": False})


def clickable_chart(figure: go.Figure, key: str) -> int | None:
    """The same, and the customdata of the point that is chosen by a click."""
    picked = st.plotly_chart(
        figure,
        key=key,
        alt=alt_text(figure),
        config={"displayModeBar": False},
        on_select="rerun",
        selection_mode="points",
    )
    points = picked["selection"]["points"]
    return int(points[0]["customdata"]) if points else None
