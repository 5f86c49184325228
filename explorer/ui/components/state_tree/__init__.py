"""State tree: in comes a timeline, out the state that was clicked."""
