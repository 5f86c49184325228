"""Prune page: in comes the run in view, out steps down and back, with the numbers after each."""
