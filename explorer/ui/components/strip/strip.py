"""The network strip: the whole network in one line, narrowing as it is pruned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from explorer.core.errors import BadInput
from explorer.figures.style import SEQUENTIAL, sequential
from explorer.ui.components.component import component

_component = component(__file__)


@dataclass(frozen=True)
class StripLayer:
    """One column: kept of total feature maps, and the layer's FLOPs as it is now."""

    name: str
    kept: int
    total: int
    flops: float


def network_strip(layers: Sequence[StripLayer], *, key: str, selected: str | None = None) -> str | None:
    """The layer chosen by click or Enter in this run, else None; the page keeps it and passes it as `selected`.

    A column's height is the square root of its layer's channels as loaded; the solid part is the share that is kept;
    the colour is the layer's share of the present FLOPs.
    """
    return _component(key=key, data=strip_data(layers, selected), on_chosen_change=lambda: None).chosen


def strip_data(layers: Sequence[StripLayer], selected: str | None) -> dict[str, object]:
    """The data that the browser draws: heights from 0 to 1, colours, and the sentence of each column."""
    if not layers:
        raise BadInput("The network strip needs at least one layer, and none was given.")
    widest, flops = max(layer.total for layer in layers), max(sum(layer.flops for layer in layers), 1e-12)
    shares = [layer.flops / flops for layer in layers]
    columns = [
        {
            "name": layer.name,
            "kept": layer.kept,
            "total": layer.total,
            "height": math.sqrt(layer.total / widest),
            "color": color,
            "text": f"{layer.name}: {layer.kept} of {layer.total} feature maps kept, {share:.1%} of FLOPs",
        }
        for layer, color, share in zip(layers, sequential(shares), shares, strict=True)
    ]
    kept, total = sum(layer.kept for layer in layers), sum(layer.total for layer in layers)
    return {
        "columns": columns,
        "selected": selected,
        "summary": f"{len(layers)} layers, {kept:,} of {total:,} feature maps kept",
        "scale": [color for _, color in SEQUENTIAL],
        "top": f"{max(shares):.0%}",
    }
