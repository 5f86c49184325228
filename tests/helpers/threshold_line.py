"""The line in the histogram of the Saliency page, as a person takes hold of it."""

from __future__ import annotations

import re

from acting import place
from playwright.sync_api import Locator, Page

COUNT = re.compile(r"([\d,]+) of ([\d,]+) feature maps below")


def line(tab: Page) -> Locator:
    """The line's handle."""
    return tab.get_by_role("slider", name="Threshold")


def drag(tab: Page, share: float, steps: int = 8) -> None:
    """Press on the line and move it to a share of the histogram's width, without letting go."""
    line(tab).scroll_into_view_if_needed()
    box, grip = place(tab, tab.get_by_role("group", name="Histogram of Threshold")), place(tab, line(tab))
    tab.mouse.move(grip["x"] + grip["width"] / 2, box["y"] + 40)
    tab.mouse.down()
    tab.mouse.move(box["x"] + share * box["width"], box["y"] + 40, steps=steps)


def below(tab: Page) -> tuple[int, int]:
    """How many units the histogram says are below the line, and of how many."""
    found = COUNT.search(tab.get_by_role("status").filter(has_text="feature maps below").inner_text())
    assert found
    return int(found[1]), int(found[2])


def would_go(tab: Page, count: int) -> Locator:
    """The sentence of how many units go at the line."""
    return tab.get_by_text(re.compile(rf"^{count} units? would go\."))
