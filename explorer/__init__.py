"""Pruning Explorer: see what each feature map of a convolutional network is worth, and prune what is not."""

from __future__ import annotations

from typing import Any

__all__ = ["load_pruned"]


def __getattr__(name: str) -> Any:
    """`load_pruned`, imported when first asked for: it needs torch, which takes seconds to load."""
    if name != "load_pruned":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from explorer.export import load_pruned

    return load_pruned
