"""One feature map in detail, opened by real clicks in a table."""

from __future__ import annotations

from contextlib import suppress

import pytest

pytest.importorskip("playwright")

from acting import PICTURE, SECONDS, TABLE, click_row, settle, visit
from playwright.sync_api import Error, Locator, Page, expect

TRIES = 4
PATIENCE = 15_000  # milliseconds


def heading(tab: Page) -> Locator:
    return tab.get_by_role("dialog").locator("h4")


def open_candidate(tab: Page, row: int) -> None:
    """Click the name of a candidate's layer until its unit opens: a table just drawn anew may not hear the first."""
    for _ in range(TRIES):
        with suppress(Error):
            click_row(tab.locator(TABLE).last, row, 44)
            heading(tab).wait_for(timeout=PATIENCE)
        if heading(tab).count():
            return
    raise AssertionError("no click opens a unit")


def test_a_click_on_a_candidate_opens_it_and_escape_closes_it(tab: Page) -> None:
    visit(tab, "prune")
    open_candidate(tab, 0)
    first = heading(tab).inner_text()
    expect(tab.get_by_role("dialog").locator(PICTURE)).to_have_count(4, timeout=SECONDS)
    figures = tab.get_by_role("dialog").get_by_role("figure").all()
    assert all(len(figure.get_attribute("aria-label") or "") > 20 for figure in figures)
    tab.get_by_role("button", name="Next", exact=True).click()
    expect(heading(tab)).not_to_have_text(first, timeout=SECONDS)
    tab.get_by_role("button", name="Previous", exact=True).click()
    expect(heading(tab)).to_have_text(first, timeout=SECONDS)
    settle(tab)  # what is being drawn would open it again
    tab.keyboard.press("Escape")
    expect(tab.get_by_role("dialog")).to_have_count(0, timeout=SECONDS)
    settle(tab)
    open_candidate(tab, 0)  # the same row once more
    expect(heading(tab)).to_have_text(first, timeout=SECONDS)
