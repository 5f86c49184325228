"""Play in a real tab: states grow without a redraw of the page, and are scrubbed by keys, mouse and touch."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("playwright")

from acting import PICTURE, place, press, reach, run_of, settle, until, visit
from playwright.sync_api import Locator, Page, expect

FAR = "15"  # per cent of the units, from which few states lead to the end
REDRAWN = """async node => {
    const times = []
    for (let i = 0; i < 8; i++) {
        const key = i % 2 ? "ArrowRight" : "ArrowLeft"
        const start = performance.now()
        node.dispatchEvent(new KeyboardEvent("keydown", {key}))
        await new Promise(requestAnimationFrame)
        times.push(performance.now() - start)
    }
    return times.sort((a, b) => a - b)[4]
}"""


def slider(tab: Page) -> Locator:
    return tab.get_by_role("slider", name=re.compile("of each state"))


def said(tab: Page) -> str:
    return slider(tab).get_attribute("aria-valuetext") or ""


def step(tab: Page) -> int:
    return int(slider(tab).get_attribute("aria-valuenow") or -1)


def button(tab: Page, name: str) -> Locator:
    return tab.get_by_role("button", name=name, exact=True)


def far_down(tab: Page) -> Page:
    visit(tab, "prune")
    tab.locator(PICTURE).first.wait_for()
    box = tab.get_by_role("spinbutton", name="Down to, %")
    box.fill(FAR)
    box.press("Enter")
    settle(tab)
    press(tab, "Prune to this goal", "state 1 of 1")
    return tab


def states_of(workdir: Path, run: str) -> dict[str, dict]:
    return json.loads((workdir / "runs" / run / "run.json").read_text())["timeline"]["states"]


def sentence(metrics: dict) -> str:
    return f"{metrics['accuracy']:.1%} right, loss {metrics['loss']:.4f}"


def test_play_shows_every_state_as_the_run_has_it_by_keys_and_mouse(tab: Page, workdir: Path) -> None:
    errors: list[str] = []
    tab.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    far_down(tab)
    slider(tab).evaluate("node => { node.drawnOnce = true }")
    button(tab, "Play: prune to the end, step by step").click()
    tab.get_by_role("status").filter(has_text=re.compile(r"^\d+ states measured")).wait_for()
    last = int(slider(tab).get_attribute("aria-valuemax") or 0)
    assert last > 3
    until(tab, lambda: step(tab) == last, "the end, by itself")
    settle(tab)
    assert slider(tab).evaluate("node => node.drawnOnce"), "the player was built anew"

    states = states_of(workdir, run_of(tab))
    slider(tab).focus()
    tab.keyboard.press("Home")
    for number in range(1, last + 2):
        metrics = states[str(number)]["metrics"]
        assert sentence(metrics) in said(tab) and f"{metrics['units']} of" in said(tab)
        tab.keyboard.press("ArrowRight")
    assert step(tab) == last and slider(tab).evaluate(REDRAWN) <= 60
    tab.keyboard.press("End")
    box = place(tab, slider(tab))
    tab.mouse.move(box["x"] + box["width"] * 0.99, box["y"] + 60)
    tab.mouse.down()
    tab.mouse.move(box["x"] + 20, box["y"] + 60, steps=4)
    assert step(tab) == 0
    tab.mouse.up()
    button(tab, "One state on").click()
    button(tab, "One state on").click()
    button(tab, "One state back").click()
    assert (
        step(tab) == 1 and tab.get_by_role("radio", name="Accuracy", exact=True).get_attribute("aria-checked") == "true"
    )
    tab.get_by_role("radio", name="Accuracy", exact=True).press("ArrowRight")
    assert tab.get_by_role("radio", name="Loss", exact=True).get_attribute("aria-checked") == "true"
    button(tab, "Go to this state").click()
    reach(tab, f"state 2 of {last + 1}")
    expect(button(tab, "Go to this state")).to_be_disabled()
    assert step(tab) == 1
    assert [each for each in errors if "404" not in each] == []  # of a page that is opened by its address


def test_a_phone_scrubs_by_touch_and_moves_nothing_by_itself_where_less_motion_is_wanted(
    new_tab: Callable[..., Page],
) -> None:
    tab = new_tab(viewport={"width": 390, "height": 844}, has_touch=True, reduced_motion="reduce")
    far_down(tab)
    button(tab, "Play: prune to the end, step by step").click()
    tab.get_by_role("status").filter(has_text=re.compile(r"^\d+ states measured")).wait_for()
    last = int(slider(tab).get_attribute("aria-valuemax") or 0)
    until(tab, lambda: step(tab) == last, "the end: playing was asked for")
    slider(tab).scroll_into_view_if_needed()
    box = place(tab, slider(tab))
    tab.touchscreen.tap(box["x"] + 30, box["y"] + 60)
    assert step(tab) == 0
    tab.touchscreen.tap(box["x"] + box["width"] - 16, box["y"] + 60)
    assert step(tab) == last
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
