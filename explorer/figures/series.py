"""The lines of a curve: points on a way down, how each was measured, and the marks that say so without colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from explorer.core.palette import NEUTRAL
from explorer.core.text import counted
from explorer.figures.style import criterion_style, f32

FADED = 0.35  # opacity of a branch that has been left
SCRATCH = "from scratch"  # in place of a criterion: single marks, joined by no line
LOADED, PRUNED, TUNED, CUT = "as loaded", "before fine-tuning", "after fine-tuning", "pruned after fine-tuning"
MARKS = {LOADED: "-open", PRUNED: "-open", TUNED: "", CUT: "-open-dot"}
"""What had been done to a network when it was measured, and the ending of its mark's symbol."""


@dataclass(frozen=True, eq=False)
class Series:
    """One criterion's way from the original network down.

    criterion: its name in the table of styles. x (points,): share left, 1 = the original. y (points,): accuracy as a
    share of 1, or loss in nats. fine_tuned: measured after fine-tuning (filled marks) or before (open marks).
    label: legend text when the criterion's own does not do. low, high (points,): a band, spread (points,): what it
    holds, "least to largest of 3 seeds". faded: a branch that has been left. stages (points,): of MARKS, in place of
    fine_tuned.
    """

    criterion: str
    x: np.ndarray
    y: np.ndarray
    fine_tuned: bool = False
    label: str | None = None
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    spread: Sequence[str] = ()
    faded: bool = False
    stages: Sequence[str] = ()

    @property
    def name(self) -> str:
        """The criterion in words."""
        return self.label or criterion_style(self.criterion).label

    @property
    def when(self) -> str:
        """Whether fine-tuning came before the measurements; "" where that differs below the network as loaded."""
        alike = set(self.stages) - {LOADED} or {TUNED if self.fine_tuned else PRUNED}
        return alike.pop() if len(alike) == 1 else ""

    @property
    def title(self) -> str:
        """The criterion in words, and when it was measured."""
        return f"{self.name}, {self.when}" if self.when else self.name

    @property
    def line(self) -> dict[str, Any]:
        """How its points are joined."""
        style = criterion_style(self.criterion)
        return {"color": style.color, "width": 2, "dash": style.dash}

    @property
    def marker(self) -> dict[str, Any]:
        """How its points look: all alike, or each by its own stage."""
        style = criterion_style(self.criterion)
        symbols = [style.symbol + MARKS[stage] for stage in self.stages]
        sizes = [10 if stage == CUT else 7 for stage in self.stages]
        return {
            "symbol": symbols or style.symbol + MARKS[self.when],
            "size": 11 if self.criterion == SCRATCH else sizes or 7,
            "color": style.color,
            "line": {"width": 1.5, "color": style.color},
            "maxdisplayed": 24 if self.when else 0,  # of marks that differ none is left out
        }

    def hover(self, text: str, number: str) -> dict[str, Any]:
        """The hover text; of a band its ends, and what it holds. number: format of y."""
        titles = [f"<b>{self.name}, {stage}</b>" for stage in self.stages] or [f"<b>{self.title}</b>"] * len(self.x)
        ends = [""] * len(self.x)
        if self.low is not None and self.high is not None:
            banded = zip(self.spread, self.low, self.high, strict=True)
            ends = [f"<br>{what}: {low:{number}} to {high:{number}}" for what, low, high in banded]
        return {
            "customdata": list(zip(titles, ends, strict=True)),
            "hovertemplate": f"%{{customdata[0]}}<br>{text}%{{customdata[1]}}<extra></extra>",
        }


def of_seeds(seeds: np.ndarray) -> list[str]:
    """What a band over so many seeds a point holds."""
    return [f"least to largest of {counted(int(count), 'seed')}" for count in seeds]


def dots(one: Series) -> list[go.Scatter]:
    """The dots in the marks of what was pruned after fine-tuning: plotly's own are lost on the line behind them."""
    places = [place for place, stage in enumerate(one.stages) if stage == CUT]
    style = criterion_style(one.criterion)
    marker = {"symbol": "circle", "size": 4, "color": style.color}
    opacity = FADED if one.faded else 1
    shown = go.Scatter(
        x=f32(one.x[places]),
        y=f32(one.y[places]),
        mode="markers",
        name="dots",
        marker=marker,
        opacity=opacity,
        showlegend=False,
        hoverinfo="skip",
    )
    return [shown] if places else []


def key(series: Sequence[Series]) -> list[go.Scatter]:
    """The meaning of the marks, as entries of the legend alone; none where every line says it of all its points."""
    if all(one.when for one in series):
        return []
    met = {stage for one in series for stage in one.stages or (one.when,)}
    return [_entry(stage) for stage in MARKS if stage in met - {LOADED}]


def _entry(stage: str) -> go.Scatter:
    marker = {"symbol": f"circle{MARKS[stage]}", "size": 7, "color": NEUTRAL, "line": {"width": 1.5, "color": NEUTRAL}}
    return go.Scatter(x=[None], y=[None], mode="markers", name=stage, hoverinfo="skip", marker=marker)
