"""Timeline: the tree of states that a person has made by pruning; frozen values all the way."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from explorer.costs import Costs
from explorer.errors import BadInput
from explorer.evaluate import Outcome


@dataclass(frozen=True)
class Metrics:
    """One state in numbers."""

    loss: float  # nats, mean over the validation images
    accuracy: float  # 0 to 1
    images: int
    units: int
    parameters: int
    flops: int  # one image


def metrics_of(outcome: Outcome, costs: Costs, removed: Tensor) -> Metrics:
    """The metrics of a network with the units where `removed` (units,) is True gone."""
    return Metrics(
        loss=outcome.loss,
        accuracy=outcome.accuracy,
        images=len(outcome.labels),
        units=int((~removed).sum()),
        parameters=costs.parameters(removed),
        flops=costs.flops(removed),
    )


@dataclass(frozen=True)
class State:
    """One point of the timeline: which units are gone, how it came to be, and what it scores."""

    parent: int | None  # place of the parent among the timeline's states
    removed: tuple[int, ...]  # all units gone, as places in the global order of the network as loaded
    how: str  # what made this state, for people: "10 units by Taylor (l2)"
    metrics: Metrics


@dataclass(frozen=True)
class Timeline:
    """All states, oldest first; the first is the network as loaded."""

    states: tuple[State, ...]
    current: int = 0

    @property
    def state(self) -> State:
        """The state that the person is at."""
        return self.states[self.current]

    @property
    def root(self) -> State:
        """The network as loaded."""
        return self.states[0]


def start(metrics: Metrics) -> Timeline:
    """A timeline with only the network as loaded."""
    return Timeline((State(None, (), "as loaded", metrics),))


def step(timeline: Timeline, removed: Tensor, how: str, metrics: Metrics) -> Timeline:
    """The timeline with a new state under the current one, and that state current."""
    state = State(timeline.current, tuple(removed.nonzero()[:, 0].tolist()), how, metrics)
    return Timeline((*timeline.states, state), len(timeline.states))


def back(timeline: Timeline, steps: int = 1) -> Timeline:
    """The timeline at the current state's ancestor, `steps` up or as far as there is one."""
    current = timeline.current
    for _ in range(steps):
        parent = timeline.states[current].parent
        current = current if parent is None else parent
    return replace(timeline, current=current)


def forward(timeline: Timeline) -> Timeline:
    """The timeline at the youngest child of the current state, or where it is when there is none."""
    children = [i for i, state in enumerate(timeline.states) if state.parent == timeline.current]
    return replace(timeline, current=children[-1] if children else timeline.current)


def jump(timeline: Timeline, place: int) -> Timeline:
    """The timeline at any of its states."""
    if not 0 <= place < len(timeline.states):
        raise BadInput(f"There is no state {place}; the timeline has states 0 to {len(timeline.states) - 1}.")
    return replace(timeline, current=place)


def path(timeline: Timeline) -> tuple[int, ...]:
    """Places of the states from the root to the current one."""
    places = [timeline.current]
    while (parent := timeline.states[places[-1]].parent) is not None:
        places.append(parent)
    return tuple(reversed(places))


def removed_at(state: State, units: int) -> Tensor:
    """(units,) bool: the state's plan; raises BadInput where it is one of a network with more units."""
    if any(not 0 <= unit < units for unit in state.removed):
        raise BadInput(f"This state belongs to another network: this one has {units} units.")
    plan = torch.zeros(units, dtype=torch.bool)
    plan[list(state.removed)] = True
    return plan


def to_json(timeline: Timeline) -> dict[str, Any]:
    """A timeline as plain JSON values."""
    return asdict(timeline)


def from_json(data: Any) -> Timeline:
    """The timeline of such values; raises BadInput where they are broken."""
    try:
        states = tuple(_state(entry, place) for place, entry in enumerate(data["states"]))
        return jump(Timeline(states), int(data["current"]))
    except BadInput:
        raise
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as problem:
        raise BadInput("The saved timeline is damaged: it lacks parts that every timeline has.") from problem


def _state(entry: dict[str, Any], place: int) -> State:
    parent = entry["parent"]
    if not (parent is None if place == 0 else isinstance(parent, int) and 0 <= parent < place):
        raise BadInput(f"The saved timeline is damaged: state {place} has no earlier parent.")
    return State(parent, tuple(map(int, entry["removed"])), str(entry["how"]), _metrics(entry["metrics"]))


def _metrics(entry: dict[str, Any]) -> Metrics:
    for field in fields(Metrics):
        value, kind = entry[field.name], int if field.type == "int" else int | float
        if isinstance(value, bool) or not isinstance(value, kind) or not math.isfinite(value):
            raise TypeError(f"{field.name} is no such number")
    return Metrics(**entry)
