"""Choosing: in come a person's choices, out rankings, limits and steps."""
