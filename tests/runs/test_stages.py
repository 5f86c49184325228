"""Stages: what has been done to the weights of a state, and that figures know a mark for each."""

from __future__ import annotations

import pytest

from explorer.evaluation.metrics import Metrics
from explorer.figures.series import MARKS
from explorer.runs.stages import CUT, LOADED, PRUNED, STAGES, TUNED, Stage, stage_at, stages
from explorer.runs.timeline import State, Timeline

METRICS = Metrics(0.1, 0.9, 10, 8, 100, 1000)


def state(parent: int | None, gone: int = 0, updates: int = 0) -> State:
    """A state whose step removed so many units and learned so many minibatches."""
    return State(parent, tuple(("a", 100 * (parent or 0) + n) for n in range(gone)), "", METRICS, updates=updates)


#  0 loaded - 1 pruned - 2 tuned (5) - 3 cut - 4 cut - 5 tuned (5 + 4)
#          \ 6 tuned (1): nothing went   \ 7 tuned (5 + 2): nothing went
TREE = Timeline(
    {
        0: state(None),
        1: state(0, 2),
        2: state(1, 1, 5),
        3: state(2, 1),
        4: state(3, 1),
        5: state(4, 1, 4),
        6: state(0, 0, 1),
        7: state(3, 0, 2),
    },
    current=3,
    made=8,
)
SAID = {
    0: (LOADED, 0, "as loaded"),
    1: (PRUNED, 0, "before fine-tuning"),
    2: (TUNED, 5, "after 5 fine-tuning updates"),
    3: (CUT, 5, "pruned after 5 fine-tuning updates, not fine-tuned since"),
    4: (CUT, 5, "pruned after 5 fine-tuning updates, not fine-tuned since"),
    5: (TUNED, 9, "after 9 fine-tuning updates"),
    6: (TUNED, 1, "after 1 fine-tuning update"),
    7: (TUNED, 7, "after 7 fine-tuning updates"),
}


@pytest.mark.parametrize("number", SAID)
def test_the_stage_of_every_state_of_a_tree(number: int) -> None:
    stage = stage_at(TREE, number)
    assert (stage.kind, stage.updates, str(stage)) == SAID[number]
    assert stages(TREE)[number] == stage


def test_without_a_number_it_is_the_current_states() -> None:
    assert stage_at(TREE) == stage_at(TREE, 3)


def test_what_a_removal_makes_of_a_stage() -> None:
    assert {number: stage_at(TREE, number).pruned for number in (0, 1, 2, 3)} == {
        0: Stage(PRUNED),
        1: Stage(PRUNED),
        2: Stage(CUT, 5),
        3: Stage(CUT, 5),
    }


def test_parents_may_stand_after_their_children_in_a_file() -> None:
    turned = Timeline(dict(reversed(TREE.states.items())), made=8)
    assert stages(turned) == stages(TREE)


def test_figures_have_a_mark_for_every_stage_and_tell_three_apart() -> None:
    assert set(MARKS) == set(STAGES)
    assert MARKS[LOADED] == MARKS[PRUNED] and len(set(MARKS.values())) == 3
