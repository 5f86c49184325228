"""Serving: in come requests from other computers, out those with the token, each to its own workspace."""
