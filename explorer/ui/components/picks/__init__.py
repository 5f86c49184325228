"""Picks: in come pictures of units, out those that a person has chosen."""
