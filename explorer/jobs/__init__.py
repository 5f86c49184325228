"""Jobs: in comes long work, out its progress, its results, or the sentence that says why it failed; no Streamlit."""
