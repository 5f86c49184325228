"""Choosing units by hand, and the presenter's view, by clicks, keys and address."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("playwright")

from acting import PICTURE, SECONDS, place, settle, visit
from playwright.sync_api import Page, expect

SIZE = "node => parseFloat(getComputedStyle(node).fontSize)"


def says(tab: Page, text: str) -> None:
    """Wait until the picks' counter says so."""
    expect(tab.locator(".picks .count")).to_have_text(text, timeout=SECONDS)


def keys(tab: Page, *pressed: str) -> None:
    for key in pressed:
        tab.keyboard.press(key)


def test_units_are_chosen_measured_linked_to_and_presented(tab: Page) -> None:
    visit(tab, "challenge")
    says(tab, "0 of 10 chosen")
    count = tab.get_by_role("spinbutton", name="Units to go")
    count.fill("2")
    count.press("Enter")
    says(tab, "0 of 2 chosen")
    tab.wait_for_url(re.compile(r"challenge=[0-9a-f]{16}\.2\.1\b"))
    keys(tab, "p")  # a field has the focus
    assert tab.locator("#presenter").count() == 0
    tab.locator(".cell").first.click()
    says(tab, "1 of 2 chosen")
    keys(tab, "ArrowRight", "Space")
    says(tab, "2 of 2 chosen")
    keys(tab, "ArrowRight", "Space")
    expect(tab.locator(".picks .read")).to_have_text("All 2 are chosen: take one back first.", timeout=SECONDS)
    keys(tab, "Backspace")
    says(tab, "1 of 2 chosen")
    keys(tab, "Space")
    says(tab, "2 of 2 chosen")
    chosen = [0, 2]
    pressed = tab.locator(".cell").evaluate_all("all => all.map(node => node.getAttribute('aria-pressed'))")
    assert [i for i, each in enumerate(pressed) if each == "true"] == chosen
    measure = tab.get_by_role("button", name="Measure", exact=True)
    expect(measure).to_be_enabled(timeout=SECONDS)
    measure.click()
    tab.locator(PICTURE).wait_for()
    tab.get_by_text(re.compile("these [0-9]+ images")).first.wait_for()
    settle(tab)

    usual, narrow = tab.locator("h3").first.evaluate(SIZE), place(tab, tab.locator(f"{PICTURE} .main-svg").first)
    keys(tab, "p")
    title, panel = tab.locator("#presenter h2"), tab.locator("#presenter nav")
    expect(title).to_have_text("Which 2 units can go?", timeout=SECONDS)
    assert title.evaluate(SIZE) > 1.4 * usual and tab.locator("#presenter p").evaluate(SIZE) > 20
    keys(tab, "ArrowRight")
    expect(panel).to_contain_text("2 of ", timeout=SECONDS)
    assert "With 2 units gone" in tab.locator("#presenter p").inner_text()
    expect(tab.locator(PICTURE)).to_be_visible(timeout=SECONDS)
    expect(tab.locator(".picks")).to_be_hidden(timeout=SECONDS)
    tab.wait_for_function(
        "w => document.querySelector('.main-svg').getBoundingClientRect().width > 1.3 * w", arg=narrow["width"]
    )
    assert "view=present&picture=2" in tab.url
    keys(tab, "Escape")
    assert tab.locator("#presenter").count() == 0 and "view=" not in tab.url
    expect(tab.locator(".picks")).to_be_visible(timeout=SECONDS)
    link = tab.get_by_role("navigation", name="App pages").get_by_role("link", name="Prune")
    link.focus()
    assert (
        link.evaluate("node => getComputedStyle(node).outlineStyle + getComputedStyle(node).outlineWidth") == "solid2px"
    )

    tab.goto(f"{tab.url}&view=present&picture=1")  # as from a link: another session, with nothing chosen
    expect(title).to_have_text("Which 2 units can go?", timeout=SECONDS)
    says(tab, "0 of 2 chosen")
    tab.get_by_role("button", name="Leave").click()
    settle(tab)
