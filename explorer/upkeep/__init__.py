"""Upkeep: in comes a work folder, out what is whole in it, what is damaged and what is missing."""
