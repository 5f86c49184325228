"""The tree of states: places of the marks, and what they tell."""

from __future__ import annotations

from explorer.figures.state_tree import Node, places, state_tree
from explorer.figures.style import alt_text

#  0 - 1 - 2 - 5
#        \ 3
#   \ 4
NODES = [
    Node(0, None, "", "as loaded"),
    Node(1, 0, "", "one"),
    Node(2, 1, "", "two", tuned=True),
    Node(3, 1, "best", "three"),
    Node(4, 0, "", "four"),
    Node(5, 2, "", "five", tuned=True),
]


def test_a_first_child_goes_on_in_its_row_and_others_begin_one() -> None:
    depth, row = places(NODES)
    assert depth == {0: 0, 1: 1, 2: 2, 3: 2, 4: 1, 5: 3}
    assert row == {0: 0, 1: 0, 2: 0, 3: 1, 4: 2, 5: 0}


def test_marks_say_which_state_they_are_and_whether_it_was_fine_tuned() -> None:
    edges, ring, plain, tuned = state_tree(NODES, current=3).data
    assert (list(plain.customdata), list(tuned.customdata)) == ([0, 1, 3, 4], [2, 5])
    assert (plain.marker.symbol, tuned.marker.symbol) == ("circle-open", "circle")
    assert (list(ring.x), list(ring.y)) == ([2], [1])
    assert list(plain.text) == ["", "", "best", ""] and list(tuned.hovertext) == ["two", "five"]
    assert [x for x in edges.x if x is not None] == [0, 1, 1, 2, 1, 2, 0, 1, 2, 3]


def test_it_is_described() -> None:
    assert alt_text(state_tree(NODES, 3)) == "Tree of 6 states in 3 branches, at state 3."
    assert alt_text(state_tree(NODES[:2], 0)) == "Tree of 2 states in one line, at state 0."
