"""A lesson in a browser: begun by a link, gone through by keys that nobody who types loses, and kept over a reload."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("playwright")

from acting import SECONDS, run_of, settle
from playwright.sync_api import Page, expect

SHIFT = """
window.shifted = 0
new PerformanceObserver(list => {
  for (const each of list.getEntries()) if (!each.hadRecentInput) window.shifted += each.value
}).observe({ type: "layout-shift", buffered: true })
"""


def at(tab: Page, page: str, number: int) -> None:
    """Wait until the lesson is at this step, on this page."""
    tab.wait_for_url(re.compile(rf"/{page}\?.*lesson={number}\b"))
    tab.locator(".lesson .place", has_text=f"step {number} of 8").wait_for()
    settle(tab)


def test_a_link_begins_the_lesson_keys_lead_through_it_and_a_reload_keeps_it(tab: Page) -> None:
    tab.add_init_script(SHIFT)
    tab.goto("/?lesson=4")
    at(tab, "oracle", 4)
    tab.locator(".lesson .seen", has_text=re.compile("Seen: By Taylor, the units of .* matter most")).wait_for()
    assert tab.evaluate("window.shifted") <= 0.15  # the page's own, and the panel's nothing
    tab.keyboard.press("n")
    at(tab, "prune", 5)
    number = tab.locator(".st-key-target input")
    expect(number).to_have_value("50", timeout=SECONDS)
    number.press("n")
    number.press("b")
    at(tab, "prune", 5)
    run = run_of(tab)
    tab.reload()
    at(tab, "prune", 5)
    assert run_of(tab) == run and "lesson-done=4" in tab.url
    tab.locator(".lesson").click()
    tab.keyboard.press("b")
    at(tab, "oracle", 4)
    tab.get_by_role("button", name="End the lesson").click()
    expect(tab.locator(".lesson")).to_have_count(0, timeout=SECONDS)
    assert "lesson" not in tab.url
