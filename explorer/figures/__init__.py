"""Figures: in come plain values, out plotly figures; no Streamlit, and nothing of the engine."""
