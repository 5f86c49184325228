"""The tree of states in real tabs: two tabs on one run, branches, names, and turns that are paused and reloaded."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from of_demo import UNITS

pytest.importorskip("playwright")

from acting import TABLE, click_row, click_state, facts, press, reach, run_of, settle, state, until, visit
from playwright.sync_api import Locator, Page

AT_ONCE = 2  # units of a turn: so many steps that none of what is tried comes too late


def tree(tab: Page, says: str) -> Locator:
    return tab.get_by_role("tree", name=says, exact=True)


def test_a_second_tab_sees_the_steps_of_the_first_and_takes_none_away(new_tab: Callable[..., Page]) -> None:
    first, second = new_tab(), new_tab()
    visit(first, "prune")
    taken = press(first, "Remove 1", "state 1 of 1")
    visit(second, "prune", run_of(first))
    assert (state(second), facts(second)) == ("state 1 of 1", taken)
    further = press(first, "Remove 10", "state 2 of 2")
    assert press(second, "Remove 1", "state 2 of 2") == further  # chosen for state 1, where nobody is any more
    second.get_by_text("the run has gone on to state 2 meanwhile").wait_for()
    assert press(second, "Remove 1", "state 3 of 3")["Units"] == str(UNITS - 12)
    before = state(first)  # it may be redrawn, as it is when work ends that it follows
    back = press(first, "Undo", "state 1 of 3" if before == "state 2 of 2" else "state 2 of 3")
    assert back == (taken if before == "state 2 of 2" else further)


def test_states_are_gone_to_by_clicks_named_and_deleted(tab: Page) -> None:
    visit(tab, "prune")
    seen = [facts(tab), press(tab, "Remove 10", "state 1 of 1"), press(tab, "Remove 1", "state 2 of 2")]
    tree(tab, "Tree of 3 states in one line, at state 2").wait_for()
    click_state(tab, 1)
    reach(tab, "state 1 of 2")
    assert facts(tab) == seen[1]
    seen.append(press(tab, "Remove 10", "state 3 of 3"))
    tree(tab, "Tree of 4 states in 2 branches, at state 3").wait_for()
    click_row(tab.locator(TABLE).first, 2)
    reach(tab, "state 2 of 3")
    assert facts(tab) == seen[2]
    box = tab.get_by_role("textbox", name="Name of state 2")
    box.fill("light")
    box.press("Enter")
    reach(tab, "state 2 of 3: light")
    click_state(tab, 3)
    reach(tab, "state 3 of 3")
    tab.get_by_role("button", name="Delete it", exact=True).click()
    reach(tab, "state 1 of 2")
    tree(tab, "Tree of 3 states in one line, at state 1").wait_for()
    tab.reload()
    settle(tab)
    assert press(tab, "Redo", "state 2 of 2: light") == seen[2]


def test_turns_are_paused_and_go_on_after_a_reload(tab: Page) -> None:
    visit(tab, "prune")
    tab.get_by_text("In turns with fine-tuning").click()
    step = tab.get_by_label("Units per step")
    step.fill(str(AT_ONCE))
    step.press("Enter")
    tab.get_by_role("button", name="Prune and fine-tune").wait_for()
    settle(tab)
    tab.get_by_role("button", name="Prune and fine-tune").click()
    tab.get_by_role("button", name="Pause").click()
    tab.get_by_text("in turns, paused").wait_for()
    settle(tab)
    before = state(tab)
    tab.reload()
    tab.get_by_text("in turns, paused").wait_for()
    settle(tab)
    assert state(tab) == before
    tab.get_by_role("button", name="Go on").click()
    number = int(before.split()[1])
    until(tab, lambda: int(state(tab).split()[1]) > number, f"a state beyond {number}")
    tab.reload()
    settle(tab)
    number = int(state(tab).split()[1])
    until(tab, lambda: int(state(tab).split()[1]) > number, f"a state beyond {number}")
    assert tab.get_by_role("button", name="Undo").is_disabled()
    tab.get_by_role("button", name="Cancel: In turns", exact=True).click()
    said = tab.get_by_text(re.compile(r"In turns: cancelled at \d+%"))
    said.wait_for()
    settle(tab)
    added = int(state(tab).split()[1])
    assert re.search(rf"; {added} steps were added, the run is at state {added}\.$", said.inner_text())
    assert int(facts(tab)["Units"]) == UNITS - AT_ONCE * int(state(tab).split()[1])


def test_the_first_page_is_found_by_its_name_too(tab: Page) -> None:
    tab.goto("/network")
    settle(tab)
    tab.get_by_role("heading", name="Where the FLOPs and parameters are").wait_for()
    assert tab.get_by_role("dialog").count() == 0
