"""Drawn: what pages draw of the state in view."""

from __future__ import annotations

from torch import Tensor

from explorer.figures.widths import DrawnWidth
from explorer.ui.work.session import View


def widths_left(view: View, removed: Tensor | None = None) -> list[DrawnWidth]:
    """Every layer with what the state in view, or another plan, leaves of it, of the network as loaded."""
    gone = view.workspace.network.units.by_layer(view.removed if removed is None else removed)
    return [DrawnWidth(name, int((~part).sum()), len(part)) for name, part in gone.items()]
