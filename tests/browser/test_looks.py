"""Every page in light and dark, wide and narrow; and what a screen reader and a keyboard need."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

pytest.importorskip("playwright")

from acting import PAGES, PICTURE, place, run_of, settle, turn, visit
from contrasts import faint
from of_demo import WIDTHS
from playwright.sync_api import Page

SHIFTS = """
window.shifts = [];
new PerformanceObserver(seen => {
    for (const one of seen.getEntries()) if (!one.hadRecentInput) window.shifts.push([one.startTime, one.value]);
}).observe({type: "layout-shift", buffered: true});
"""
MOST_SHIFT = 0.1  # Layout Instability score of a page that is good
NAMELESS = re.compile(r"^ *- (?:button|combobox|spinbutton|slider|textbox|listbox|radiogroup|link)$", re.MULTILINE)
PICTURES = {
    "network": 2,
    "draw": 0,
    "saliency": 1,
    "oracle": 0,
    "prune": 1,
    "compare": 0,
    "challenge": 0,
    "export": 1,
    "paper": 1,
}


def brightness(tab: Page) -> float:
    """Of the page's ground, 0 to 255."""
    color = tab.locator("[data-testid=stApp]").evaluate("node => getComputedStyle(node).backgroundColor")
    parts = [float(part) for part in re.findall(r"[\d.]+", color)[:3]]
    return sum(parts) / len(parts)


def layout_shift(tab: Page) -> float:
    """The Layout Instability score: the largest sum of shifts in a row, at most 1 s apart and 5 s in all."""
    largest, sums = 0.0, 0.0
    begun = last = float("-inf")
    for when, value in tab.evaluate("window.shifts"):
        if when - last > 1000 or when - begun > 5000:
            begun, sums = when, 0.0
        last, sums = when, sums + value
        largest = max(largest, sums)
    return largest


def keeps_still(tab: Page) -> bool:
    """Whether the page does not move while it loads; a browser that others keep busy may load it four times more."""
    for _ in range(4):
        if layout_shift(tab) <= MOST_SHIFT:
            return True
        tab.reload()
        settle(tab)
    return layout_shift(tab) <= MOST_SHIFT


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_drawn(new_tab: Callable[..., Page], scheme: str, width: int) -> None:
    tab = new_tab(color_scheme=scheme, viewport={"width": width, "height": 900})
    tab.add_init_script(SHIFTS)
    visit(tab, "network")
    run = run_of(tab)
    for page in PAGES:
        visit(tab, page, run)
        if PICTURES[page]:
            tab.locator(PICTURE).nth(PICTURES[page] - 1).wait_for()
        assert keeps_still(tab), page
        assert (brightness(tab) > 200) == (scheme == "light")
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, page
        assert faint(tab) == [], page
        assert (place(tab, tab.get_by_role("heading", name=page.capitalize(), exact=True))["width"] > 20) == (
            width < 768
        )
        assert tab.get_by_role("alert").count() == 0


def test_every_picture_button_and_input_has_a_name(tab: Page) -> None:
    visit(tab, "network")
    for page in PAGES:
        turn(tab, page)
        if PICTURES[page]:
            tab.locator(PICTURE).nth(PICTURES[page] - 1).wait_for()
        figures = tab.get_by_role("figure").all()
        assert len(figures) == tab.locator(PICTURE).count()
        assert all(len(figure.get_attribute("aria-label") or "") > 20 for figure in figures)
        tree = tab.locator("main, [data-testid=stMain]").first.aria_snapshot()
        nameless = re.findall(
            r"^ *- (?:button|combobox|spinbutton|slider|textbox|listbox|radiogroup|link)$", tree, re.M
        )
        assert nameless == [], page


def test_terms_and_the_main_part_are_reached_by_keys_and_taps_and_the_head_is_low_when_zoomed(
    new_tab: Callable[..., Page],
) -> None:
    tab = new_tab(has_touch=True)
    visit(tab, "saliency")
    term = tab.locator("dfn.term").first
    opened = "node => getComputedStyle(node, '::after').display"
    assert term.evaluate(opened) == "none"
    for open_it in (term.hover, term.focus, term.tap):
        open_it()
        assert term.evaluate(opened) == "block" and term.get_attribute("data-means")
        tab.mouse.move(0, 0)
        term.evaluate("node => node.blur()")
        assert term.evaluate(opened) == "none"
    tab.reload()
    settle(tab)
    tab.get_by_role("slider").wait_for()
    for key in ("Tab", "Enter", "Tab"):
        tab.keyboard.press(key)
    assert tab.get_by_role("slider").evaluate("node => node.matches(':focus-visible')")
    tab.set_viewport_size({"width": 720, "height": 450})  # a window of 1440 by 900 at 200 %
    strip = place(tab, tab.locator(".st-key-strip"))
    assert strip["y"] + strip["height"] < 450 / 2


def test_a_layer_of_the_strip_is_chosen_by_keys(tab: Page) -> None:
    visit(tab, "network")
    options = tab.get_by_role("listbox", name=re.compile("6 layers")).get_by_role("option")
    options.nth(0).focus()
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Enter")
    tab.get_by_role("option", selected=True, name=re.compile(rf"^features\.5: {WIDTHS[2]} of {WIDTHS[2]}")).wait_for()
    settle(tab)
    assert tab.get_by_role("option", selected=True).count() == 1
