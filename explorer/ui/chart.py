"""A figure on a page."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from explorer.figures.style import alt_text


def chart(figure: go.Figure, key: str) -> None:
    """A figure at full width, with its sentence for those who can't see it."""
    st.plotly_chart(figure, key=key, alt=alt_text(figure), config={"displayModeBar": False})
