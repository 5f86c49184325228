"""Pages: in come clicks, out what a person sees; the only importer of Streamlit."""
