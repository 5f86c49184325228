"""One feature map in detail, opened by real clicks in a table."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright")

from acting import PICTURE, SECONDS, settle, visit
from playwright.sync_api import Locator, Page, expect

HEAD, ROW = 36, 44  # pixels: of a table's head, and of a row of candidates


def heading(tab: Page) -> Locator:
    return tab.get_by_role("dialog").locator("h4")


def click_row(tab: Page, row: int) -> None:
    """Click the name of a candidate's layer."""
    table = tab.locator("[data-testid=stDataFrame]").last
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    assert box
    tab.mouse.click(box["x"] + 160, box["y"] + HEAD + (row + 0.5) * ROW)


def test_a_click_on_a_candidate_opens_it_and_escape_closes_it(tab: Page) -> None:
    visit(tab, "prune")
    click_row(tab, 0)
    heading(tab).wait_for()
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
    click_row(tab, 0)  # the same row once more
    expect(heading(tab)).to_have_text(first, timeout=SECONDS)
