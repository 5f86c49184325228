"""Selectors: all that can choose which units go: every criterion by its ranking, and joint linearised pruning."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.criteria import CRITERIA

JOINT = "joint"


@dataclass(frozen=True)
class Selector:
    """One way to choose units: the row that pages and commands offer."""

    name: str
    title: str
    summary: str
    unit: str
    cost: str
    source: str


SELECTORS: dict[str, Selector] = {
    **{c.name: Selector(c.name, c.title, c.summary, c.unit, c.cost, c.source) for c in CRITERIA.values()},
    JOINT: Selector(
        JOINT,
        "Joint linearised",
        "Place in the order in which units go together with the least change in what the network says.",
        "place",
        "a backward pass a class, up to ten, every few units",
        "explorer.joint",
    ),
}
