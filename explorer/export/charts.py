"""Small charts for the report: text and lines take the page's own colours, light or dark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from explorer.runs.stages import CUT, LOADED, PRUNED, TUNED

WIDTH, HEIGHT = 460, 250
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 26, 40
LARGEST, SMALLEST = 4.0, 1.6  # radius of a mark
_OPEN, _FILLED, _DOT = (1.0, "before"), (1.0, "after"), (0.3, "after")  # share of the radius, and the circle's class
MARKS = {LOADED: (_OPEN,), PRUNED: (_OPEN,), TUNED: (_FILLED,), CUT: (_OPEN, _DOT)}
NARROWEST = 3.0  # of the columns that tell of their states where the mouse rests


@dataclass(frozen=True)
class ChartPoint:
    """One state in a curve: x is the share left (0 to 1), y its value; stage: the kind of its stage."""

    x: float
    y: float
    stage: str
    text: str  # shown where the mouse rests


Placed = tuple[float, float, ChartPoint]  # where a point is drawn


def curve(title: str, points: Sequence[ChartPoint], against: str, percent: bool) -> str:
    """A line from the original at the left, 100 % left, to what is left at the right."""
    low, high = _range([point.y for point in points], percent)
    least = min(0.95, *(point.x for point in points)) - 0.02
    placed = [(_across(point.x, least), _down(point.y, low, high), point) for point in points]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in placed)
    axes = _values(low, high, percent) + _shares(least, against)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(_said(title, points, percent))}">'
        f'<text x="{LEFT}" y="15" class="title">{escape(title)}</text>{axes}{_columns(placed)}'
        f'<polyline points="{line}" class="line"/>{_marks(placed)}</svg>'
    )


def _marks(placed: Sequence[Placed]) -> str:
    """A circle a point, filled, open or with a dot by its stage: the more of them, the smaller."""
    radius = min(LARGEST, max(SMALLEST, 0.6 * (WIDTH - LEFT - RIGHT) / len(placed)))
    circles = (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size * radius:.1f}" class="{look}"/>'
        for x, y, point in placed
        for size, look in MARKS[point.stage]
    )
    return f'<g class="marks" stroke-width="{radius / 2:.1f}">{"".join(circles)}</g>'


def _columns(placed: Sequence[Placed]) -> str:
    """The area that answers to the mouse: top to bottom, halfway to the neighbours, however close the marks lie."""
    groups: list[list[Placed]] = []
    for each in sorted(placed, key=lambda each: each[0]):
        if groups and each[0] - groups[-1][0][0] < NARROWEST:
            groups[-1].append(each)
        else:
            groups.append([each])
    halfway = [(one[-1][0] + other[0][0]) / 2 for one, other in pairwise(groups)]
    return "".join(
        f'<rect x="{left:.1f}" width="{right - left:.1f}" y="{TOP}" height="{HEIGHT - TOP - BOTTOM}" class="column">'
        f"<title>{escape(chr(10).join(point.text for *_, point in group))}</title></rect>"
        for group, (left, right) in zip(groups, pairwise([LEFT, *halfway, WIDTH - RIGHT]), strict=True)
    )


def _said(title: str, points: Sequence[ChartPoint], percent: bool) -> str:
    first, last = (_number(point.y, percent) for point in (points[0], points[-1]))
    return f"{title}: {first} with everything, {last} with {points[-1].x:.0%} left."


def _range(values: Sequence[float], percent: bool) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = max(0.08 * (high - low), 0.01 * max(abs(high), 0.1))
    return max(0.0, low - room), min(high + room, 1.0) if percent else high + room


def _across(x: float, least: float) -> float:
    return LEFT + (1 - x) / (1 - least) * (WIDTH - LEFT - RIGHT)


def _down(y: float, low: float, high: float) -> float:
    return TOP + (high - y) / (high - low) * (HEIGHT - TOP - BOTTOM)


def _number(value: float, percent: bool) -> str:
    return f"{value:.1%}" if percent else f"{value:.3g}"


def _values(low: float, high: float, percent: bool) -> str:
    drawn = []
    for step in range(5):
        value = low + (high - low) * step / 4
        y = _down(value, low, high)
        drawn.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>'
            f'<text x="{LEFT - 6}" y="{y + 4:.1f}" class="end">{_number(value, percent)}</text>'
        )
    return "".join(drawn)


def _shares(least: float, against: str) -> str:
    drawn = [f'<text x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 6}" class="middle">{escape(against)}</text>']
    for step in range(5):
        share = 1 - (1 - least) * step / 4
        drawn.append(f'<text x="{_across(share, least):.1f}" y="{HEIGHT - 22}" class="middle">{share:.0%}</text>')
    return "".join(drawn)


def bars(rows: Sequence[tuple[str, int, int]]) -> str:
    """A bar a layer: (name, units left, units before)."""
    most = max(before for *_, before in rows)
    drawn = (
        f'<tr><td>{escape(name)}</td><td><div class="gone" style="width:{before / most:.2%}">'
        f'<div class="kept" style="width:{left / before:.2%}"></div></div></td><td>{left:,} of {before:,}</td></tr>'
        for name, left, before in rows
    )
    kept, whole = sum(row[1] for row in rows), sum(row[2] for row in rows)
    return f'<table class="bars"><tbody>{"".join(drawn)}</tbody></table><p>{kept:,} of {whole:,} units left.</p>'
