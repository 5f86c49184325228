"""Selectors: all that can choose which units go: criteria by their ranking, the oracle, joint linearised pruning."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.scoring.criteria import CRITERIA

JOINT, ORACLE = "joint", "oracle"


@dataclass(frozen=True)
class Selector:
    """One way to choose units: the row that pages and commands offer."""

    name: str
    title: str
    summary: str
    unit: str
    cost: str
    source: str
    scalable: bool = True  # layer by layer, before units of different layers are compared


SELECTORS: dict[str, Selector] = {
    **{c.name: Selector(c.name, c.title, c.summary, c.unit, c.cost, c.source, c.scalable) for c in CRITERIA.values()},
    JOINT: Selector(
        JOINT,
        "Joint linearised",
        "Place in the order in which units go together with the least change in what the network says.",
        "place",
        "a backward pass a class, up to ten, every few units",
        "explorer.pruning.joint",
        scalable=False,
    ),
    ORACLE: Selector(
        ORACLE,
        "Oracle",
        "How far the mean loss moves when the unit alone is taken out: |C(without it) - C|, measured. Never scaled.",
        "nats",
        "the network from each unit on, for every unit and image",
        "Molchanov et al. 2017, section 2.1",
        scalable=False,
    ),
}


def scaling_for(selector: str, scaling: str) -> str:
    """The scaling under which a selector compares units of different layers: this one, or none where it has none."""
    return scaling if SELECTORS[selector].scalable else "none"
