"""How long full and pruned network take, side by side under each condition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from explorer.core.errors import BadInput
from explorer.core.palette import KEPT, NEUTRAL
from explorer.figures.style import blank_figure

Spread = tuple[float, float, float]  # median, lower and upper quartile, ms an image


@dataclass(frozen=True)
class Pair:
    """Both networks under one condition."""

    name: str
    full: Spread
    pruned: Spread

    @property
    def speed_up(self) -> float:
        """Above 1 where the pruned network is faster."""
        return self.full[0] / self.pruned[0]


def speed_bars(pairs: Sequence[Pair]) -> go.Figure:
    """Horizontal bars of milliseconds an image, full hatched grey, pruned blue, with quartiles as whiskers."""
    if not pairs:
        raise BadInput("Speed bars need at least one condition, and none was given.")
    fig = blank_figure(_alt(pairs), height=70 + 58 * len(pairs))
    fig.update_layout(barmode="group", bargap=0.28, bargroupgap=0.08)
    hatch = {"shape": "/", "size": 5, "solidity": 0.3}
    fig.add_trace(_bars("full", pairs, [p.full for p in pairs], {"color": NEUTRAL, "pattern": hatch}))
    fig.add_trace(_bars("pruned", pairs, [p.pruned for p in pairs], {"color": KEPT}))
    top = max(max(pair.full[2], pair.pruned[2]) for pair in pairs)
    fig.update_xaxes(title={"text": "milliseconds an image"}, range=[0, 1.12 * top])
    fig.update_yaxes(
        tickvals=list(range(len(pairs))),
        ticktext=[f"{pair.name}: <b>{pair.speed_up:.2f}×</b>" for pair in pairs],
        showgrid=False,
    )
    return fig.update_yaxes(range=[len(pairs) - 0.5, -0.5])


def _bars(name: str, pairs: Sequence[Pair], spreads: Sequence[Spread], marker: dict[str, object]) -> go.Bar:
    median, low, high = np.array(spreads, np.float64).T
    places = np.arange(len(pairs))
    hover = [
        f"<b>{pair.name}</b><br>{name}: {m:.3g} ms an image, quartiles {a:.3g} to {b:.3g}"
        for pair, (m, a, b) in zip(pairs, spreads, strict=True)
    ]
    whiskers = {"type": "data", "array": high - median, "arrayminus": median - low, "color": NEUTRAL, "thickness": 1.5}
    return go.Bar(
        x=median,
        y=places,
        orientation="h",
        name=name,
        marker={**marker, "line": {"width": 0}},
        error_x=whiskers,
        customdata=hover,
        hovertemplate="%{customdata}<extra></extra>",
    )


def _alt(pairs: Sequence[Pair]) -> str:
    parts = [f"{pair.name}: {pair.pruned[0]:.3g} instead of {pair.full[0]:.3g} ms an image" for pair in pairs]
    return f"Time of the pruned network beside the full one's. {'; '.join(parts)}."
