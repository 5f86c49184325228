"""The tree of states: places of the marks, and what they tell."""

from __future__ import annotations

from explorer.runs.stages import CUT, LOADED, PRUNED, TUNED
from explorer.ui.components.state_tree.state_tree import LONGEST, Node, places, tree_data

#  0 - 1 - 2 - 5
#        \ 3
#   \ 4
NODES = [
    Node(0, None, "", "as loaded"),
    Node(1, 0, "", "one", PRUNED),
    Node(2, 1, "", "two", TUNED),
    Node(3, 1, "best", "three", PRUNED),
    Node(4, 0, "", "four", PRUNED),
    Node(5, 2, "", "five", CUT),
]


def test_a_first_child_goes_on_in_its_row_and_others_begin_one() -> None:
    depth, row = places(NODES)
    assert depth == {0: 0, 1: 1, 2: 2, 3: 2, 4: 1, 5: 3}
    assert row == {0: 0, 1: 0, 2: 0, 3: 1, 4: 2, 5: 0}


def test_marks_say_which_state_they_are_and_what_was_done_to_its_weights() -> None:
    drawn = tree_data(NODES, current=3)["states"]
    assert [(one["number"], one["parent"], one["column"], one["row"]) for one in drawn] == [
        (0, None, 0, 0),
        (1, 0, 1, 0),
        (2, 1, 2, 0),
        (3, 1, 2, 1),
        (4, 0, 1, 2),
        (5, 2, 3, 0),
    ]
    assert [one["stage"] for one in drawn] == [LOADED, PRUNED, TUNED, PRUNED, PRUNED, CUT]
    assert tree_data(NODES, current=3)["stages"] == [PRUNED, TUNED, CUT]  # the key; the first mark is as loaded
    assert tree_data(NODES[:2], current=0)["stages"] == [PRUNED]
    assert [one["label"] for one in drawn] == ["", "", "", "best", "", ""]
    assert drawn[3]["text"] == "State 3, best: three" and drawn[5]["text"] == "State 5: five"


def test_a_long_name_is_abridged_beside_its_mark_and_whole_in_its_text() -> None:
    name = "the one before the accuracy fell"
    (drawn,) = tree_data([Node(0, None, name, "as loaded")], 0)["states"]
    assert len(drawn["label"]) == LONGEST and name in drawn["text"]


def test_it_is_described() -> None:
    assert tree_data(NODES, 3)["summary"] == "Tree of 6 states in 3 branches, at state 3"
    assert tree_data(NODES[:2], 0)["summary"] == "Tree of 2 states in one line, at state 0"
