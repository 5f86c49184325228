"""Sharing: in comes a run with what is known of its units, out one HTML file to explore it in without the program."""
