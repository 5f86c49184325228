"""Checkpoints: in come bytes that others wrote, out tensors by name; no code of the file runs."""
