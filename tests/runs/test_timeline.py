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

from explorer.core.errors import BadInput
from explorer.evaluation.evaluate import evaluate
from explorer.evaluation.metrics import Metrics, metrics_of
from explorer.networks.costs import measure_costs
from explorer.networks.units import Layer, Units, newly_removed
from explorer.runs import timeline as timelines
from explorer.runs.timeline import State, Timeline
from explorer.runs.timeline_json import from_json, to_json

LAYERS = Layer("a", (0, 1, 2), ("a",), (), (), 3), Layer("b", (0, 2, 5), ("b",), (), (), 6)  # channels as loaded
UNITS = Units(LAYERS, {})


def metrics(units: int = len(UNITS)) -> Metrics:
    return Metrics(loss=0.5 + units / 8, accuracy=0.75, images=4, units=units, parameters=10 * units, flops=100 * units)


def plan(*removed: int) -> torch.Tensor:
    found = torch.zeros(len(UNITS), dtype=torch.bool)
    found[list(removed)] = True
    return found


def stepped(timeline: Timeline, *more: int, **parts: Any) -> Timeline:
    """One more state, without these units as well; those that are gone already make no difference."""
    before = timelines.removed_at(timeline, UNITS)
    after = before | plan(*more)
    state = State(
        timeline.current, newly_removed(UNITS, before, after), f"without {more}", metrics(int((~after).sum())), **parts
    )
    return timelines.step(timeline, state)


def started() -> Timeline:
    return timelines.start(metrics())


def branched() -> Timeline:
    """0 - 1 - 2, and 3 beside 2; at 3."""
    return stepped(timelines.back(stepped(stepped(started(), 4), 1)), 5)


def test_the_network_as_loaded_is_the_first_state() -> None:
    timeline = started()
    assert timeline.state == timeline.root == State(None, (), "as loaded", metrics())
    assert timelines.path(timeline) == (0,)


def test_a_step_becomes_the_current_state_under_the_one_before() -> None:
    timeline = stepped(stepped(started(), 4), 1, 4)
    assert timeline.current == 2
    assert timeline.state == State(1, (("a", 1),), "without (1, 4)", metrics(4))
    assert timelines.path(timeline) == (0, 1, 2)


def test_going_back_and_stepping_makes_a_branch_and_loses_nothing() -> None:
    timeline = branched()
    assert [state.parent for state in timeline.states.values()] == [None, 0, 1, 1]
    assert timelines.path(timeline) == (0, 1, 3)
    assert timelines.path(timelines.jump(timeline, 2)) == timelines.path(timeline, 2) == (0, 1, 2)


def test_a_step_under_another_state_moves_nobody() -> None:
    timeline = timelines.jump(branched(), 0)
    grown = timelines.step(timeline, State(2, (), "by a job", metrics(4)))
    assert (grown.current, grown.made, grown.states[4].parent) == (0, 5, 2)
    with pytest.raises(BadInput, match="State 9, from which this step was taken, has been deleted"):
        timelines.step(timeline, State(9, (), "", metrics()))


def test_forward_goes_back_to_where_one_came_from_else_to_the_youngest_child() -> None:
    timeline = timelines.back(branched())
    assert timeline.current == 1
    assert timelines.forward(timeline).current == 3
    older = timelines.back(timelines.jump(branched(), 2), 2)
    assert timelines.forward(timelines.forward(older)).current == 2
    elsewhere = timelines.delete(timelines.jump(stepped(timelines.jump(branched(), 0), 0), 4), 4)
    assert elsewhere.current == 0 and timelines.forward(timelines.forward(elsewhere)).current == 3
    tip = timelines.forward(timelines.forward(timeline))
    assert tip.current == 3


@pytest.mark.parametrize(("steps", "place"), [(0, 3), (1, 1), (2, 0), (9, 0)])
def test_back_stops_at_the_network_as_loaded(steps: int, place: int) -> None:
    assert timelines.back(branched(), steps).current == place


@pytest.mark.parametrize("act", [timelines.jump, timelines.delete, lambda t, n: timelines.rename(t, n, "x")])
@pytest.mark.parametrize("number", [-1, 4])
def test_there_is_no_way_to_a_state_that_is_not_there(act: Callable[..., Timeline], number: int) -> None:
    with pytest.raises(BadInput, match=f"no state {number}; the timeline has 0, 1, 2, 3"):
        act(branched(), number)


@pytest.mark.parametrize(("number", "left", "at"), [(1, [0], 0), (2, [0, 1, 3], 3), (3, [0, 1, 2], 1)])
def test_a_branch_is_deleted_with_all_that_was_made_from_it(number: int, left: list[int], at: int) -> None:
    timeline = timelines.delete(branched(), number)
    assert (list(timeline.states), timeline.current) == (left, at)
    assert list(stepped(timeline, 0).states) == [*left, 4]  # a number is never used twice


def test_the_network_as_loaded_can_not_be_deleted() -> None:
    with pytest.raises(BadInput, match="can't be deleted"):
        timelines.delete(branched(), 0)


def test_a_state_can_be_given_a_name() -> None:
    named = timelines.rename(branched(), 2, " ship this ")
    assert named.states[2].name == "ship this" and named.current == 3
    assert timelines.rename(named, 2, "") == branched()
    for name in ("x" * 61, "two\nlines"):
        with pytest.raises(BadInput, match="must be printable and have at most 60 letters"):
            timelines.rename(named, 2, name)


def test_a_plan_is_what_all_steps_on_the_way_removed() -> None:
    assert torch.equal(timelines.removed_at(branched(), UNITS), plan(4, 5))
    assert torch.equal(timelines.removed_at(branched(), UNITS, 2), plan(1, 4))


@pytest.mark.parametrize("label", [("a", 3), ("b", 1), ("c", 0)])
def test_a_state_of_another_network_is_refused(label: tuple[str, int]) -> None:
    timeline = timelines.step(started(), State(0, (label,), "", metrics()))
    with pytest.raises(BadInput, match=f"another network: this one has no channel {label[1]} in '{label[0]}'"):
        timelines.removed_at(timeline, UNITS)


def test_updates_and_the_last_weights_are_found_on_the_way() -> None:
    timeline = stepped(stepped(stepped(started(), 0, updates=3, weights="w.safetensors"), 1), 2, updates=2)
    assert [timelines.updates_at(timeline, number) for number in range(4)] == [0, 3, 3, 5]
    assert [timelines.trained_at(timeline, number) for number in range(4)] == [None, 1, 1, 3]
    assert timelines.forget_weights(timeline, kept=None).states[1].weights is None
    assert timelines.forget_weights(timeline, kept=1) == timeline


def test_metrics_are_those_of_the_evaluated_plan() -> None:
    network, batches = at_hand("plain"), images(SHAPE)
    removed = torch.zeros(len(network.units), dtype=torch.bool)
    removed[:2] = True
    outcome, costs = evaluate(network, batches, removed), measure_costs(network)
    found = metrics_of(outcome, costs, removed)
    assert found == Metrics(
        outcome.loss, outcome.accuracy, 12, len(network.units) - 2, costs.parameters(removed), costs.flops(removed)
    )


Act = Callable[[Timeline], Timeline]
ACTS: st.SearchStrategy[Act] = st.one_of(
    st.sets(st.integers(0, len(UNITS) - 1)).map(lambda removed: lambda timeline: stepped(timeline, *sorted(removed))),
    st.integers(0, 4).map(lambda steps: lambda timeline: timelines.back(timeline, steps)),
    st.just(timelines.forward),
    st.integers(0, 100).map(lambda place: lambda timeline: timelines.jump(timeline, place % len(timeline.states))),
)


@given(st.lists(ACTS, max_size=25))
def test_whatever_a_person_does_the_timeline_stays_a_tree_that_only_grows(acts: list[Act]) -> None:
    timeline = started()
    for act in acts:
        before, timeline = timeline, act(timeline)
        assert all(timeline.states[number] == state for number, state in before.states.items())
        path = timelines.path(timeline)
        assert path[0] == 0 and path[-1] == timeline.current
        assert all(timeline.states[child].parent == parent for parent, child in pairwise(path))
        assert list(path) == sorted(path)
    assert from_json(json.loads(json.dumps(to_json(timeline)))) == timeline


@given(st.lists(ACTS, max_size=15), st.sets(st.integers(0, len(UNITS) - 1)))
def test_a_step_can_be_undone_and_done_again(acts: list[Act], removed: set[int]) -> None:
    timeline = started()
    for act in acts:
        timeline = act(timeline)
    ahead = stepped(timeline, *removed)
    behind = timelines.back(ahead)
    assert behind.current == timeline.current
    assert timelines.forward(behind) == ahead


Damage = Callable[[dict[str, Any]], object]


def _state(change: Damage) -> Damage:
    return lambda data: change(data["states"]["1"])


DAMAGES: dict[str, tuple[Damage, str]] = {
    "no states": (lambda data: data.pop("states"), "lacks parts"),
    "states is a number": (lambda data: data.update(states=3), "lacks parts"),
    "empty": (lambda data: data.update(states={}), "there is no state 0"),
    "state is a number": (lambda data: data.update(states={"0": 1}), "lacks parts"),
    "no current": (lambda data: data.pop("current"), "lacks parts"),
    "current is null": (lambda data: data.update(current=None), "lacks parts"),
    "current is text": (lambda data: data.update(current="second"), "lacks parts"),
    "current is infinite": (lambda data: data.update(current=float("inf")), "lacks parts"),
    "current too large": (lambda data: data.update(current=9), "there is no state 9"),
    "root has a parent": (lambda data: data["states"]["0"].update(parent=0), "state 0 has no earlier parent"),
    "second root": (_state(lambda state: state.update(parent=None)), "state 1 has no earlier parent"),
    "parent of itself": (_state(lambda state: state.update(parent=1)), "state 1 has no earlier parent"),
    "parent is text": (_state(lambda state: state.update(parent="0")), "lacks parts"),
    "no root": (lambda data: data["states"].pop("0"), "state 1 has no earlier parent"),
    "number is text": (lambda data: data["states"].update(x=data["states"]["1"]), "lacks parts"),
    "tip is not there": (lambda data: data.update(tip=7), "there is no state 7"),
    "too few were made": (lambda data: data.update(made=3), "has a state 3, of 3"),
    "a unit goes twice": (_state(lambda state: state.update(removed=[["b", 2], ["b", 2]])), "removes a unit twice"),
    "weights elsewhere": (_state(lambda state: state.update(weights="../w.safetensors")), "beside it"),
    "weights is a number": (_state(lambda state: state.update(weights=3)), "beside it"),
    "updates below zero": (_state(lambda state: state.update(updates=-1)), "lacks parts"),
    "settings is text": (_state(lambda state: state.update(settings="all")), "lacks parts"),
    "name is a number": (_state(lambda state: state.update(name=1)), "lacks parts"),
    "pruned is text": (_state(lambda state: state.update(pruned="x")), "lacks parts"),
    "removed is null": (_state(lambda state: state.update(removed=None)), "lacks parts"),
    "removed holds text": (_state(lambda state: state.update(removed=["first"])), "lacks parts"),
    "no metrics": (_state(lambda state: state.pop("metrics")), "lacks parts"),
    "metrics lack the loss": (_state(lambda state: state["metrics"].pop("loss")), "lacks parts"),
    "accuracy above 1": (_state(lambda state: state["metrics"].update(accuracy=1.5)), "lacks parts"),
    "loss below 0": (_state(lambda state: state["metrics"].update(loss=-0.1)), "lacks parts"),
    "images below 0": (_state(lambda state: state["metrics"].update(images=-1)), "lacks parts"),
    "parent is true": (_state(lambda state: state.update(parent=True)), "lacks parts"),
    "channel is true": (_state(lambda state: state.update(removed=[["b", True]])), "lacks parts"),
    "channel beyond measure": (_state(lambda state: state.update(removed=[["b", 2**70]])), "lacks parts"),
    "a state twice": (lambda data: data["states"].update({"01": data["states"]["1"]}), "lacks parts"),
    "loss is text": (_state(lambda state: state["metrics"].update(loss="low")), "lacks parts"),
    "loss is not a number": (_state(lambda state: state["metrics"].update(loss=float("nan"))), "lacks parts"),
    "accuracy is infinite": (_state(lambda state: state["metrics"].update(accuracy=float("inf"))), "lacks parts"),
    "loss is true": (_state(lambda state: state["metrics"].update(loss=True)), "lacks parts"),
    "units is a fraction": (_state(lambda state: state["metrics"].update(units=2.5)), "lacks parts"),
    "parameters beyond measure": (_state(lambda state: state["metrics"].update(parameters=10**400)), "lacks parts"),
    "metrics is a list": (_state(lambda state: state.update(metrics=[1])), "lacks parts"),
    "units is null": (_state(lambda state: state["metrics"].update(units=None)), "lacks parts"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_values_get_one_sentence(name: str) -> None:
    damage, words = DAMAGES[name]
    data = copy.deepcopy(json.loads(json.dumps(to_json(branched()))))
    damage(data)
    with pytest.raises(BadInput, match=words):
        from_json(data)


@pytest.mark.parametrize("value", [1, "text", [1], None])
def test_what_is_no_timeline_is_refused(value: object) -> None:
    with pytest.raises(BadInput, match="lacks parts"):
        from_json(value)


def test_a_state_without_images_is_read_as_one_and_other_gaps_are_damage() -> None:
    unmeasured = Metrics(None, None, 0, units=len(UNITS), parameters=10, flops=100)
    content = json.loads(json.dumps(to_json(timelines.start(unmeasured))))
    assert from_json(content).root.metrics == unmeasured
    for damage in ({"images": 4}, {"loss": 0.5}, {"accuracy": 1.0}, {"units": None}):
        broken = copy.deepcopy(content)
        broken["states"]["0"]["metrics"] |= damage
        with pytest.raises(BadInput):
            from_json(broken)
