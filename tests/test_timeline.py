"""The tree of states: stepping, going back, branches, and the way to JSON and back."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from networks_at_hand import SHAPE, at_hand, images

from explorer import timeline as timelines
from explorer.costs import measure_costs
from explorer.errors import BadInput
from explorer.evaluate import evaluate
from explorer.timeline import Metrics, State, Timeline

UNITS = 6


def metrics(units: int = UNITS) -> Metrics:
    return Metrics(loss=0.5 + units / 8, accuracy=0.75, images=4, units=units, parameters=10 * units, flops=100 * units)


def plan(*removed: int) -> torch.Tensor:
    found = torch.zeros(UNITS, dtype=torch.bool)
    found[list(removed)] = True
    return found


def stepped(timeline: Timeline, *removed: int) -> Timeline:
    return timelines.step(timeline, plan(*removed), f"without {removed}", metrics(UNITS - len(removed)))


def started() -> Timeline:
    return timelines.start(metrics())


def branched() -> Timeline:
    """0 - 1 - 2, and 3 beside 2; at 3."""
    return stepped(timelines.back(stepped(stepped(started(), 4), 1, 4)), 4, 5)


def test_the_network_as_loaded_is_the_first_state() -> None:
    timeline = started()
    assert timeline.state == timeline.root == State(None, (), "as loaded", metrics())
    assert timelines.path(timeline) == (0,)


def test_a_step_becomes_the_current_state_under_the_one_before() -> None:
    timeline = stepped(stepped(started(), 4), 1, 4)
    assert timeline.current == 2
    assert timeline.state == State(1, (1, 4), "without (1, 4)", metrics(4))
    assert timelines.path(timeline) == (0, 1, 2)


def test_going_back_and_stepping_makes_a_branch_and_loses_nothing() -> None:
    timeline = branched()
    assert [state.parent for state in timeline.states] == [None, 0, 1, 1]
    assert timelines.path(timeline) == (0, 1, 3)
    assert timelines.path(timelines.jump(timeline, 2)) == (0, 1, 2)


def test_forward_goes_to_the_youngest_child() -> None:
    timeline = timelines.back(branched())
    assert timeline.current == 1
    assert timelines.forward(timeline).current == 3
    tip = timelines.forward(timelines.forward(timeline))
    assert tip.current == 3


@pytest.mark.parametrize(("steps", "place"), [(0, 3), (1, 1), (2, 0), (9, 0)])
def test_back_stops_at_the_network_as_loaded(steps: int, place: int) -> None:
    assert timelines.back(branched(), steps).current == place


@pytest.mark.parametrize("place", [-1, 4])
def test_there_is_no_way_to_a_state_that_is_not_there(place: int) -> None:
    with pytest.raises(BadInput, match=f"no state {place}; the timeline has states 0 to 3"):
        timelines.jump(branched(), place)


def test_a_plan_comes_back_as_it_went_in() -> None:
    assert torch.equal(timelines.removed_at(branched().state, UNITS), plan(4, 5))


@pytest.mark.parametrize("removed", [(6,), (-1,), (2, 60)])
def test_a_state_of_another_network_is_refused(removed: tuple[int, ...]) -> None:
    with pytest.raises(BadInput, match="belongs to another network: this one has 6 units"):
        timelines.removed_at(State(None, removed, "", metrics()), UNITS)


def test_metrics_are_those_of_the_evaluated_plan() -> None:
    network, batches = at_hand("plain"), images(SHAPE)
    removed = torch.zeros(len(network.units), dtype=torch.bool)
    removed[:2] = True
    outcome, costs = evaluate(network, batches, removed), measure_costs(network)
    found = timelines.metrics_of(outcome, costs, removed)
    assert found == Metrics(
        outcome.loss, outcome.accuracy, 12, len(network.units) - 2, costs.parameters(removed), costs.flops(removed)
    )


Act = Callable[[Timeline], Timeline]
ACTS: st.SearchStrategy[Act] = st.one_of(
    st.sets(st.integers(0, UNITS - 1)).map(lambda removed: lambda timeline: stepped(timeline, *sorted(removed))),
    st.integers(0, 4).map(lambda steps: lambda timeline: timelines.back(timeline, steps)),
    st.just(timelines.forward),
    st.integers(0, 100).map(lambda place: lambda timeline: timelines.jump(timeline, place % len(timeline.states))),
)


@given(st.lists(ACTS, max_size=25))
def test_whatever_a_person_does_the_timeline_stays_a_tree_that_only_grows(acts: list[Act]) -> None:
    timeline = started()
    for act in acts:
        before, timeline = timeline, act(timeline)
        assert timeline.states[: len(before.states)] == before.states
        path = timelines.path(timeline)
        assert path[0] == 0 and path[-1] == timeline.current
        assert all(timeline.states[child].parent == parent for parent, child in pairwise(path))
        assert list(path) == sorted(path)
    assert timelines.from_json(json.loads(json.dumps(timelines.to_json(timeline)))) == timeline


@given(st.lists(ACTS, max_size=15), st.sets(st.integers(0, UNITS - 1)))
def test_a_step_can_be_undone_and_done_again(acts: list[Act], removed: set[int]) -> None:
    timeline = started()
    for act in acts:
        timeline = act(timeline)
    ahead = stepped(timeline, *removed)
    behind = timelines.back(ahead)
    assert behind.current == timeline.current
    assert timelines.forward(behind) == ahead


Damage = Callable[[dict[str, Any]], object]


def _states(change: Damage) -> Damage:
    return lambda data: change(data["states"][1])


DAMAGES: dict[str, tuple[Damage, str]] = {
    "no states": (lambda data: data.pop("states"), "damaged"),
    "states is a number": (lambda data: data.update(states=3), "damaged"),
    "empty": (lambda data: data.update(states=[]), "no state|damaged"),
    "state is a number": (lambda data: data.update(states=[1]), "damaged"),
    "no current": (lambda data: data.pop("current"), "damaged"),
    "current is null": (lambda data: data.update(current=None), "damaged"),
    "current is text": (lambda data: data.update(current="second"), "damaged"),
    "current is infinite": (lambda data: data.update(current=float("inf")), "damaged"),
    "current too large": (lambda data: data.update(current=9), "no state 9"),
    "root has a parent": (lambda data: data["states"][0].update(parent=0), "state 0 has no earlier parent"),
    "second root": (_states(lambda state: state.update(parent=None)), "state 1 has no earlier parent"),
    "parent of itself": (_states(lambda state: state.update(parent=1)), "state 1 has no earlier parent"),
    "parent is text": (_states(lambda state: state.update(parent="0")), "state 1 has no earlier parent"),
    "removed is null": (_states(lambda state: state.update(removed=None)), "damaged"),
    "removed holds text": (_states(lambda state: state.update(removed=["first"])), "damaged"),
    "no metrics": (_states(lambda state: state.pop("metrics")), "damaged"),
    "metrics lack the loss": (_states(lambda state: state["metrics"].pop("loss")), "damaged"),
    "metrics have too much": (_states(lambda state: state["metrics"].update(speed=1)), "damaged"),
    "loss is text": (_states(lambda state: state["metrics"].update(loss="low")), "damaged"),
    "loss is not a number": (_states(lambda state: state["metrics"].update(loss=float("nan"))), "damaged"),
    "accuracy is infinite": (_states(lambda state: state["metrics"].update(accuracy=float("inf"))), "damaged"),
    "loss is true": (_states(lambda state: state["metrics"].update(loss=True)), "damaged"),
    "units is a fraction": (_states(lambda state: state["metrics"].update(units=2.5)), "damaged"),
    "parameters beyond measure": (_states(lambda state: state["metrics"].update(parameters=10**400)), "damaged"),
    "metrics is a list": (_states(lambda state: state.update(metrics=[1])), "damaged"),
    "units is null": (_states(lambda state: state["metrics"].update(units=None)), "damaged"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_values_get_one_sentence(name: str) -> None:
    damage, words = DAMAGES[name]
    data = copy.deepcopy(json.loads(json.dumps(timelines.to_json(branched()))))
    damage(data)
    with pytest.raises(BadInput, match=words):
        timelines.from_json(data)


@pytest.mark.parametrize("value", [1, "text", [1], None])
def test_what_is_no_timeline_is_refused(value: object) -> None:
    with pytest.raises(BadInput, match="damaged"):
        timelines.from_json(value)
