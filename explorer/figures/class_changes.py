"""The change in each class's loss when one unit is removed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from explorer.core.errors import BadInput
from explorer.core.palette import BLUE, NEUTRAL, VERMILION
from explorer.core.text import plotly
from explorer.figures.style import abridged, blank_figure, f32
from explorer.figures.unit_effects import CLEAR

MAX_CLASSES = 20  # classes shown


def class_changes(
    loss: np.ndarray, error: np.ndarray, classes: Sequence[str], notes: Sequence[str], *, height: int = 300
) -> go.Figure:
    """A bar a class with its standard error; grey where it lies within two of zero.

    loss (classes,): change in loss, nats, above 0 where removal hurts; nan where there are no images. error (classes,):
    its standard error, infinite where it is not known. notes: what the hover text adds. Of more than MOST classes
    those whose loss changes most are shown.
    """
    loss, error = np.asarray(loss, np.float64), np.asarray(error, np.float64)
    if not len(loss) == len(error) == len(classes) == len(notes):
        raise BadInput(
            f"Changes, errors, classes and notes must be as many, not {len(loss)}, {len(error)}, {len(classes)} and "
            f"{len(notes)}."
        )
    known = np.flatnonzero(np.isfinite(loss))
    shown = (
        known
        if len(known) <= MAX_CLASSES
        else np.sort(known[np.argsort(-np.abs(loss[known]), kind="stable")[:MAX_CLASSES]])
    )
    fig = blank_figure(_alt(loss[known], error[known], [classes[int(i)] for i in known]), height=height)
    fig.update_layout(barmode="overlay", bargap=0.3, showlegend=True)
    clear = np.abs(loss) > CLEAR * error
    hover = [
        f"<b>{plotly(name)}</b><br>{change:+.3g} ± {by:.2g} nats<br>{note}"
        for name, change, by, note in zip(classes, loss, error, notes, strict=True)
    ]
    kinds = (
        ("removal hurts", clear & (loss > 0), BLUE, ""),
        ("removal lowers the loss", clear & (loss < 0), VERMILION, "/"),
        ("within two standard errors of zero", ~clear, NEUTRAL, ""),
    )
    for title, chosen, color, hatch in kinds:
        pattern = {"shape": hatch, "size": 5, "solidity": 0.3}
        bars = _bars([i for i in shown if chosen[i]], loss, error, hover)
        fig.add_trace(bars.update(name=title, marker={"color": color, "line": {"width": 0}, "pattern": pattern}))
    order = [f"{i}" for i in shown]
    names = [plotly(abridged(classes[int(i)], 16)) for i in shown]
    fig.update_xaxes(
        type="category",
        categoryorder="array",
        categoryarray=order,
        tickvals=order,
        ticktext=names,
        showgrid=False,
        title={"text": "true class"},
        range=[-0.6, len(shown) - 0.4],
    )
    return fig.update_yaxes(title={"text": "change in loss, nats"}, zeroline=True, zerolinecolor=NEUTRAL)


def _bars(chosen: Sequence[int], loss: np.ndarray, error: np.ndarray, hover: Sequence[str]) -> go.Bar:
    spread = np.where(np.isfinite(error), error, 0)
    return go.Bar(
        x=[f"{i}" for i in chosen],
        y=f32([loss[i] for i in chosen]),
        error_y={"array": f32([spread[i] for i in chosen]), "thickness": 1.5, "width": 3, "color": NEUTRAL},
        text=[hover[i] for i in chosen],
        textposition="none",
        hovertemplate="%{text}<extra></extra>",
    )


def _alt(loss: np.ndarray, error: np.ndarray, classes: Sequence[str]) -> str:
    if not len(loss):
        return "Change in loss by class: there are no images."
    clear = int((np.abs(loss) > CLEAR * error).sum())
    most = int(np.argmax(np.abs(loss)))
    return (
        f"Change in loss of {len(loss)} classes when the unit goes: most for {classes[most]}, {loss[most]:+.3g} nats; "
        f"{clear} classes change by more than two standard errors."
    )
