"""The change in loss when each single unit is removed, and its standard error."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.core.errors import BadInput
from explorer.core.palette import BLUE, NEUTRAL, VERMILION, translucent
from explorer.core.text import plotly
from explorer.figures.style import blank_figure, f32

CLEAR = 2.0  # standard errors from zero on, a change is clear
DEPTH = 1e-6  # of the largest change: smaller ones lie at the foot of the logarithmic axis


def unit_effects(
    loss: np.ndarray, error: np.ndarray, names: Sequence[str], *, exact: bool = True, height: int = 340
) -> go.Figure:
    """Units from the largest change in loss to the smallest, by rank; its size on a logarithmic axis.

    loss (units,): change in loss when the unit goes, nats, above 0 where that hurts. error (units,): its standard
    error, nats, infinite where it is not known; a unit in the grey lies within two of zero. names: each unit's, for the
    hover text. exact: False says that the changes are estimates. customdata holds the unit's index.
    """
    loss, error = np.asarray(loss, np.float64), np.asarray(error, np.float64)
    if not len(loss) == len(error) == len(names) or not len(loss):
        raise BadInput(f"Changes, errors and names must be as many, not {len(loss)}, {len(error)} and {len(names)}.")
    order = np.argsort(-np.abs(loss), kind="stable")
    loss, error, names = loss[order], error[order], [names[i] for i in order]
    foot = float(max(abs(loss[0]) * DEPTH, np.finfo(np.float32).tiny))
    size, rank = np.abs(loss).clip(foot), np.arange(1, len(loss) + 1)
    fig = blank_figure(_alt(loss, error, exact), height=height)
    if np.isfinite(error).all():
        fig.add_trace(_unclear(rank, error, foot))
    hover = [
        f"<b>{plotly(name)}</b><br>{change:+.3g} ± {by:.2g} nats"
        for name, change, by in zip(names, loss, error, strict=True)
    ]
    kinds = (("removal hurts", loss >= 0, BLUE, "circle"), ("removal lowers the loss", loss < 0, VERMILION, "diamond"))
    for title, chosen, color, symbol in kinds:
        shown = np.flatnonzero(chosen)
        fig.add_trace(
            go.Scatter(
                x=f32(rank[shown]),
                y=f32(size[shown]),
                mode="markers",
                name=title,
                marker={"color": color, "symbol": symbol, "size": 5},
                text=[hover[i] for i in shown],
                customdata=order[shown].astype(np.int32),
                hovertemplate="%{text}<br>rank %{x:,}<extra></extra>",
            )
        )
    fig.update_xaxes(
        title={"text": "rank by the oracle, 1 = most important"}, range=[-0.02 * len(loss), 1.02 * len(loss) + 1]
    )
    title = "|change in loss|, nats" if exact else "|change in loss|, nats, estimated"
    fig.update_yaxes(title={"text": title}, type="log", exponentformat="power", dtick=1)
    return fig


def _unclear(rank: np.ndarray, error: np.ndarray, foot: float) -> go.Scatter:
    """From the foot up to CLEAR standard errors of each unit."""
    return go.Scatter(
        x=f32(np.concatenate([rank, rank[[-1, 0]]])),
        y=f32(np.concatenate([(CLEAR * error).clip(foot), [foot, foot]])),
        fill="toself",
        fillcolor=translucent(NEUTRAL, 0.28),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        name="within two standard errors of zero",
    )


def _alt(loss: np.ndarray, error: np.ndarray, exact: bool) -> str:
    unclear = int((np.abs(loss) <= CLEAR * error).sum())
    how = "" if exact else ", estimated"
    return (
        f"Change in loss when each of {len(loss)} units goes{how}, largest first: from {loss[0]:+.3g} to "
        f"{loss[-1]:+.3g} nats; {int((loss < 0).sum())} units lower the loss, and {unclear} lie within two standard "
        "errors of 0."
    )
