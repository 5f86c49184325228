"""Timeline: the tree of states that a person has made by pruning and fine-tuning; frozen values all the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.evaluation.metrics import Metrics
from explorer.networks.units import Label, Units, newly_removed

LONGEST_NAME = 60


@dataclass(frozen=True)
class Scratch:
    """The control of a state: its shape trained from fresh weights, and the score."""

    metrics: Metrics
    updates: int
    settings: Mapping[str, Any] = field(default_factory=dict)  # recipe and seed


@dataclass(frozen=True)
class State:
    """One point of the timeline: the step that led to it, and the network's metrics there."""

    parent: int | None  # number of the state that it was made from
    removed: tuple[Label, ...]  # the units that went with this step
    how: str  # the step to this state, in words: "10 units by Taylor, layer-wise l2"
    metrics: Metrics  # after the step's fine-tuning, if it had any
    pruned: Metrics | None = None  # before it: right after the units went
    updates: int = 0  # fine-tuning minibatches of this step
    weights: str | None = None  # file beside the run with what they made of the weights
    settings: Mapping[str, Any] = field(default_factory=dict)  # criterion, recipe, seed: how the step was chosen
    name: str = ""  # given by the user
    scratch: Scratch | None = None


@dataclass(frozen=True)
class Timeline:
    """All states by their number, oldest first; number 0 is the network as loaded. Numbers are never used twice."""

    states: Mapping[int, State]
    current: int = 0
    tip: int = 0  # where redo leads: the state that was last stepped or jumped to
    made: int = 1  # states that there have ever been

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
    return Timeline({0: State(None, (), "as loaded", metrics)})


def units_taken(timeline: Timeline, parent: int, units: Units, removed: Tensor) -> tuple[Label, ...]:
    """The names of the units that a step from `parent` takes: those that the plan `removed` (units,) has beyond it."""
    return newly_removed(units, removed_at(timeline, units, parent), removed)


def step(timeline: Timeline, state: State, *, follow: bool = True) -> Timeline:
    """The timeline with a new state; who is at its parent goes on to it if they `follow`. Raises BadInput if that is
    gone.
    """
    if state.parent not in timeline.states:
        raise BadInput(f"State {state.parent}, from which this step was taken, has been deleted meanwhile.")
    number = timeline.made
    grown = replace(timeline, states={**timeline.states, number: state}, made=number + 1)
    return replace(grown, current=number, tip=number) if follow and timeline.current == state.parent else grown


def back(timeline: Timeline, steps: int = 1) -> Timeline:
    """The timeline at the current state's ancestor, `steps` up or as far as there is one."""
    return replace(timeline, current=path(timeline)[::-1][: steps + 1][-1])


def forward(timeline: Timeline) -> Timeline:
    """The timeline one state nearer to where it came back from, or at the youngest child; else where it is."""
    children = [number for number, state in timeline.states.items() if state.parent == timeline.current]
    known = [number for number in path(timeline, timeline.tip) if number in children]
    return replace(timeline, current=[timeline.current, *children, *known][-1])


def jump(timeline: Timeline, number: int) -> Timeline:
    """The timeline at any of its states."""
    _check_there(timeline, number)
    return replace(timeline, current=number, tip=number)


def rename(timeline: Timeline, number: int, name: str) -> Timeline:
    """The timeline with a state called by this name; none takes it away."""
    _check_there(timeline, number)
    named = replace(timeline.states[number], name=checked_name(name))
    return replace(timeline, states={**timeline.states, number: named})


def checked_name(name: str) -> str:
    """The name of a state or a run, without white space around it; raises BadInput if none can be called so."""
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise BadInput(f"The name {name[:LONGEST_NAME]!r} must be printable and have at most {LONGEST_NAME} letters.")
    return name.strip()


def control(timeline: Timeline, number: int, scratch: Scratch) -> Timeline:
    """The timeline with a state's control, in place of an earlier one."""
    _check_there(timeline, number)
    return replace(timeline, states={**timeline.states, number: replace(timeline.states[number], scratch=scratch)})


def delete(timeline: Timeline, number: int) -> Timeline:
    """The timeline without a state and its descendants; if the current state is among them, the parent is current."""
    _check_there(timeline, number)
    parent = timeline.states[number].parent
    if parent is None:
        raise BadInput("State 0 is the network as loaded: it can't be deleted.")
    gone = made_from(timeline, number)
    left = {other: state for other, state in timeline.states.items() if other not in gone}
    current, tip = (place if place in left else parent for place in (timeline.current, timeline.tip))
    return replace(timeline, states=left, current=current, tip=tip)


def made_from(timeline: Timeline, number: int) -> frozenset[int]:
    """A state and all that was made from it."""
    return frozenset(other for other in timeline.states if number in path(timeline, other))


def forget_weights(timeline: Timeline, kept: int | None) -> Timeline:
    """The timeline with no weights but those of one state, or none: the others can be looked at, but not gone to."""
    states = {n: state if n == kept else replace(state, weights=None) for n, state in timeline.states.items()}
    return replace(timeline, states=states)


def path(timeline: Timeline, number: int | None = None) -> tuple[int, ...]:
    """Numbers of the states from the root to the current one, or to another."""
    numbers = [timeline.current if number is None else number]
    while (parent := timeline.states[numbers[-1]].parent) is not None:
        numbers.append(parent)
    return tuple(reversed(numbers))


def removed_at(timeline: Timeline, units: Units, number: int | None = None) -> Tensor:
    """(units,) bool: the plan of the current state or of another; raises BadInput if it is one of another network."""
    places = {label: unit for unit, label in enumerate(units.labels)}
    removed = [label for each in path(timeline, number) for label in timeline.states[each].removed]
    for layer, channel in removed:
        if (layer, channel) not in places:
            raise BadInput(f"This state belongs to another network: this one has no channel {channel} in {layer!r}.")
    plan = torch.zeros(len(units), dtype=torch.bool)
    plan[[places[label] for label in removed]] = True
    return plan


def updates_at(timeline: Timeline, number: int | None = None) -> int:
    """Fine-tuning minibatches between the network as loaded and the current state, or another."""
    return sum(timeline.states[each].updates for each in path(timeline, number))


def trained_at(timeline: Timeline, number: int | None = None) -> int | None:
    """The last state with weights of its own on the way to the current state, or to another; None if no state has."""
    return next((each for each in reversed(path(timeline, number)) if timeline.states[each].updates), None)


def _check_there(timeline: Timeline, number: int) -> None:
    if number not in timeline.states:
        raise BadInput(f"There is no state {number}; the timeline has {', '.join(map(str, timeline.states))}.")
