"""The oracle as a job: it moves, outlives a reload, stops when asked, and shows what it has so far."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("playwright")

from acting import PICTURE, settle, until, visit
from playwright.sync_api import Page

PROGRESS = re.compile("The oracle of every unit: ")
ALL = re.compile("(Run|Go on to) all ")


def progress(tab: Page) -> str:
    """What the progress bar says."""
    return tab.get_by_text(PROGRESS).first.inner_text()


def moves(tab: Page) -> None:
    tab.get_by_role("button", name="Cancel").wait_for()
    before = progress(tab)
    until(tab, lambda: progress(tab) != before, f"progress after {before!r}")


def cancel(tab: Page) -> None:
    tab.get_by_role("button", name="Cancel").click()
    tab.get_by_text(re.compile(r"The oracle of every unit: cancelled at \d+%")).wait_for()
    settle(tab)
    assert not tab.get_by_role("button", name="Cancel").count()


def test_the_oracle_moves_goes_on_after_a_reload_stops_and_starts_again(tab: Page) -> None:
    visit(tab, "oracle")
    tab.get_by_role("button", name=ALL).click()
    moves(tab)
    tab.reload()
    moves(tab)
    assert not tab.get_by_role("button", name=ALL).count()
    cancel(tab)

    tab.get_by_role("button", name=ALL).click()
    tab.get_by_role("figure", name=re.compile("rank", re.IGNORECASE)).first.wait_for()
    tab.get_by_text(re.compile(r"\d+ of \d+ images are exact, the others linearised")).first.wait_for()
    tab.get_by_role("heading", name="Unit by unit").wait_for()
    until(tab, lambda: tab.locator(PICTURE).count() == 3, "ranks, scatter and correlation table")
    assert tab.get_by_role("figure").count() == 3
    cancel(tab)
    until(tab, lambda: tab.locator(PICTURE).count() == 3, "the same three again, of the images that were done")
    tab.get_by_role("button", name="Dismiss").click()
    tab.get_by_text("cancelled at").wait_for(state="detached")
    settle(tab)
