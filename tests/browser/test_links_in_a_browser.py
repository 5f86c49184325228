"""An address that is copied opens the same view in another browser of the same server."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest.importorskip("playwright")

from acting import PICTURE, facts, press, run_of, settle, state, turn, visit
from playwright.sync_api import Page
from threshold_line import below, drag, would_go


def test_a_copied_address_shows_the_same_state_and_threshold_and_another_servers_says_so(
    new_tab: Callable[..., Page],
) -> None:
    tab = new_tab()
    visit(tab, "prune")
    press(tab, "Remove 10", then="state 1 of 1")
    turn(tab, "saliency")
    tab.locator(PICTURE).wait_for()
    drag(tab, 0.7)
    tab.mouse.up()
    tab.wait_for_url("**lines=**")
    going, _ = below(tab)
    would_go(tab, going).wait_for()
    other = new_tab()
    other.goto(tab.url)
    settle(other)
    would_go(other, going).wait_for()
    assert (state(other), facts(other)) == (state(tab), facts(tab))
    other.goto("/prune?run=of-another-server")
    other.get_by_text("names the run of-another-server, and this work folder has none").wait_for()
    assert other.locator(".state-bar").count() == 0
    other.get_by_role("combobox", name="Run").click()
    other.get_by_role("option", name=run_of(tab)).click()
    other.get_by_role("button", name="Open this run").click()
    settle(other)
    assert run_of(other) == run_of(tab) and facts(other) == facts(tab)
