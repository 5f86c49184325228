"""Figures: results to plotly; no Streamlit."""
