"""Pages and components; the only importer of Streamlit."""
