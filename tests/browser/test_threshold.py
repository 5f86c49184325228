"""Pruning by hand: lines of several layers at once, locks, and units that stay or go, by mouse and by keys."""

from __future__ import annotations

import re

import pytest
from of_demo import UNITS, WIDTHS

pytest.importorskip("playwright")

from acting import PICTURE, SECONDS, facts, press, settle, turn, visit
from playwright.sync_api import Locator, Page, expect
from threshold_line import below, drag, line, would_go

from explorer.core.palette import KEPT, REMOVED, translucent


def moved(tab: Page, share: float) -> int:
    """Take the line to a share of the histogram's width and let go; returns how many units are below it."""
    drag(tab, share)
    tab.mouse.up()
    return below(tab)[0]


def unit(tab: Page, layer: str, channel: int) -> Locator:
    return tab.get_by_role("button", name=re.compile(rf"^{re.escape(layer)}, channel {channel}:"))


def choose_layer(tab: Page, layer: str) -> None:
    tab.get_by_role("combobox", name="Threshold for").click()
    tab.get_by_role("option", name=layer, exact=True).click()


def opened(tab: Page) -> Page:
    visit(tab, "saliency")
    tab.locator(PICTURE).wait_for()
    unit(tab, "features.0", 0).wait_for()
    return tab


def line_through(tab: Page) -> list[float]:
    """Of each row of the distributions that follows the handle, where its line is: pixels from the picture's left."""
    return tab.locator(".follower > div").evaluate_all("rows => rows.map(row => row.offsetLeft + row.offsetWidth)")


DRAWN = """plot => { const axis = plot._fullLayout.xaxis, line = plot._fullData.find(one => one.name === "threshold")
  return axis._offset + axis.l2p(line.x[0]) }"""


def test_the_line_goes_through_all_distributions_while_it_is_dragged_in_the_colours_of_the_palette(tab: Page) -> None:
    opened(tab)
    assert line_through(tab) == []  # nothing is below the line
    drag(tab, 0.8)
    places = line_through(tab)
    assert len(places) == 6 and len(set(places)) == 1
    tab.mouse.up()
    would_go(tab, below(tab)[0]).wait_for()
    assert tab.locator(PICTURE).first.evaluate(DRAWN) == pytest.approx(places[0], abs=2)
    expect(tab.locator(".follower > div")).to_have_count(6)
    for mark, color in ((".bars.keep", KEPT), (".bars.cut", REMOVED)):
        drawn = tab.locator(mark).first.evaluate("node => getComputedStyle(node).fill")
        assert drawn.replace(" ", "") == translucent(color, 1).replace("rgba", "rgb").replace(",1)", ")")
    expect(tab.locator(".cell:not(.goes, .removed)").first).to_have_css("background-color", re.compile(r"rgb\(0, 114"))


def test_a_layer_gets_a_line_of_its_own_beside_the_common_one_and_gives_it_back(tab: Page) -> None:
    opened(tab)
    common = moved(tab, 0.8)
    would_go(tab, common).wait_for()
    tab.get_by_role("button", name="Threshold for features.2").click()
    tab.get_by_role("status").filter(has_text=f"of {WIDTHS[1]} feature maps below").wait_for()
    expect(tab.locator(".follower > div")).to_have_count(1)  # its line goes through this layer alone
    before, _ = below(tab)
    slider = line(tab)
    slider.focus()
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("ArrowRight")
    assert below(tab)[0] == before + 2
    would_go(tab, common + 2).wait_for()
    expect(tab.get_by_text(re.compile(r"own line "))).to_have_count(1, timeout=SECONDS)
    tab.get_by_role("button", name="Back to the common line").click()
    would_go(tab, common).wait_for()
    settle(tab)


def test_units_stay_and_go_by_clicks_and_keys_and_a_lock_holds_on_the_prune_page(tab: Page) -> None:
    opened(tab)
    one = unit(tab, "features.5", 0)
    one.click()
    one.click()
    would_go(tab, 1).wait_for()
    expect(one).to_have_accessible_name(re.compile("goes, chosen to go$"), timeout=SECONDS)
    tab.keyboard.press("ArrowRight")
    beside = tab.locator(".cell:focus")
    tab.keyboard.press("Enter")
    expect(beside).to_have_accessible_name(re.compile("stays, chosen to stay$"), timeout=SECONDS)
    tab.keyboard.press("Enter")
    would_go(tab, 2).wait_for()
    tab.keyboard.press("Enter")
    would_go(tab, 1).wait_for()

    lock = tab.get_by_role("button", name="Lock features.2")
    lock.click()
    expect(lock).to_have_attribute("aria-pressed", "true", timeout=SECONDS)
    tab.get_by_text("By hand: 1 layer locked, 1 unit chosen to go.").first.wait_for()
    tab.get_by_role("spinbutton", name="Exactly").fill("9")
    tab.keyboard.press("Enter")
    would_go(tab, UNITS - WIDTHS[1] - 5).wait_for()
    settle(tab)
    turn(tab, "prune")
    tab.get_by_role("spinbutton", name="Down to, %").fill("20")
    tab.keyboard.press("Enter")
    assert press(tab, "Prune to this goal", "state 1 of 1")["Units"] == str(UNITS // 5)
    tab.get_by_role("option", name=f"features.2: {WIDTHS[1]} of {WIDTHS[1]} feature maps kept").wait_for()
    turn(tab, "saliency")
    tab.get_by_role("button", name="Lock features.2", pressed=True).wait_for()
    expect(one).to_have_accessible_name(re.compile("already removed$"), timeout=SECONDS)
    tab.get_by_role("button", name="Clear these choices", exact=True).last.click()
    tab.get_by_role("button", name="Lock features.2", pressed=False).wait_for()
    settle(tab)


def test_the_curve_behind_the_handle_fills_in_and_the_prediction_stands_beside_the_measurement(tab: Page) -> None:
    opened(tab)
    count = moved(tab, 0.8)
    would_go(tab, count).wait_for()
    tab.get_by_text("The prediction was off by").wait_for()
    table = tab.get_by_role("table").filter(has_text="Predicted")
    expect(table.get_by_role("row").filter(has_text="Loss").get_by_role("cell").filter(has_text="…")).to_have_count(
        0, timeout=SECONDS
    )
    tab.get_by_text("Stop measuring the curve").wait_for(state="detached")
    assert tab.locator("circle.measured").count() == 26  # 13 of each
    settle(tab)
    assert press(tab, f"Remove {count} units", "state 1 of 1") == facts(tab)
    assert facts(tab)["Units"] == str(UNITS - count)
