"""Fine-tuning epoch by epoch: loss and accuracy on the validation images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from explorer.core.errors import BadInput
from explorer.core.palette import BLUE, VERMILION
from explorer.figures.style import blank_figure, f32

PANELS = (("loss (nats)", VERMILION, ".4f", "square"), ("accuracy", BLUE, ".1%", "circle"))
TICKS = 10  # at most so many whole epochs between the ends of an axis


def epoch_curves(loss: Sequence[float], accuracy: Sequence[float], count: int, *, height: int = 260) -> go.Figure:
    """Two panels against the epoch, 0 to `count`: loss in nats, and accuracy as a share of 1.

    loss, accuracy (epochs so far + 1,): the first is the network before fine-tuning, an open mark; the others are
    filled.
    """
    if not 0 < len(loss) == len(accuracy) <= count + 1:
        raise BadInput(
            f"Epochs 0 to {count} have at most {count + 1} losses and as many accuracies, "
            f"not {len(loss)} and {len(accuracy)}."
        )
    fig = make_subplots(1, 2, horizontal_spacing=0.09, figure=blank_figure(_alt(loss, accuracy, count), height=height))
    for column, (values, panel) in enumerate(zip((loss, accuracy), PANELS, strict=True), 1):
        fig.add_trace(_line(values, *panel), row=1, col=column)
        fig.update_yaxes(title={"text": panel[0]}, row=1, col=column)
    fig.update_yaxes(rangemode="tozero", row=1, col=1)
    fig.update_yaxes(tickformat=".0%", range=[0, 1.03], row=1, col=2)
    fig.update_xaxes(title={"text": "epoch"}, range=[-0.03 * count, 1.03 * count], dtick=-(-count // TICKS))
    return fig.update_layout(showlegend=False, margin={"t": 12})


def _line(values: Sequence[float], label: str, color: str, number: str, symbol: str) -> go.Scatter:
    marks = [f"{symbol}-open", *[symbol] * (len(values) - 1)]
    when = ["before fine-tuning", *["after fine-tuning so far"] * (len(values) - 1)]
    return go.Scatter(
        x=np.arange(len(values), dtype=np.float32),
        y=f32(values),
        mode="lines+markers",
        name=label,
        line={"color": color, "width": 2},
        marker={"symbol": marks, "size": 8, "color": color, "line": {"width": 1.5, "color": color}},
        customdata=when,
        hovertemplate=f"epoch %{{x}}, %{{customdata}}<br>{label} %{{y:{number}}}<extra></extra>",
    )


def _alt(loss: Sequence[float], accuracy: Sequence[float], count: int) -> str:
    now = f"after epoch {len(loss) - 1} of {count} loss {loss[-1]:.4f} nats, {accuracy[-1]:.1%} right"
    return f"Loss and accuracy by epoch: before fine-tuning {loss[0]:.4f} nats, {accuracy[0]:.1%} right; {now}."
