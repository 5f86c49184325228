"""Drawing on the canvas by mouse, touch and keys: what the network gets is what is on it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

pytest.importorskip("playwright")

from acting import SECONDS, place, settle, until, visit
from playwright.sync_api import Page, expect

TILES = """
(canvas, [columns, rows]) => {
    const { width, height } = canvas, data = canvas.getContext("2d").getImageData(0, 0, width, height).data
    const k = width / columns, sums = Array(columns * rows).fill(0)
    for (let i = 0; i < width * height; i++)
        sums[Math.floor(Math.floor(i / width) / k) * columns + Math.floor(i % width / k)] += data[4 * i]
    return sums.map(sum => sum / k ** 2)
}
"""
AT_THE_NETWORK = """
async image => {
    await image.decode()
    const { naturalWidth: width, naturalHeight: height } = image
    const c = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d")
    c.drawImage(image, 0, 0)
    const data = c.getImageData(0, 0, width, height).data
    return [width, height, Array.from({ length: width * height }, (_, i) => data[4 * i])]
}
"""
WAITS = re.compile("^Draw one of its classes")


def arrives(tab: Page) -> list[int]:
    """Wait until the network gets what is on the canvas; what that is."""
    found: list[int] = []

    def same() -> bool:
        nonlocal found
        width, height, found = tab.locator(".gets img").evaluate(AT_THE_NETWORK)
        return found == list(map(round, tab.locator("canvas").evaluate(TILES, [width, height])))

    until(tab, same, "the canvas at the network")
    return found


def touch(tab: Page, points: list[tuple[float, float]]) -> None:
    """A finger from point to point."""
    session = tab.context.new_cdp_session(tab)
    for i, (x, y) in enumerate(points):
        kind = "touchMove" if i else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_strokes_by_mouse_touch_and_keys_arrive_as_they_are_drawn(new_tab: Callable[..., Page]) -> None:
    tab = new_tab(has_touch=True)
    visit(tab, "draw")
    tab.locator(".tops").wait_for()
    settle(tab)
    example = arrives(tab)  # one of the network's own images
    if (placing := tab.get_by_role("switch", name="Place it like its images")).count():
        placing.press("Space")
        expect(placing).not_to_be_checked(timeout=SECONDS)

    box = place(tab, tab.locator("canvas"))
    at = lambda x, y: (box["x"] + x * box["width"], box["y"] + y * box["height"])  # noqa: E731
    tab.mouse.move(*at(0.3, 0.2))
    tab.mouse.down()
    tab.mouse.move(*at(0.7, 0.2), steps=5)
    tab.mouse.move(*at(0.4, 0.9), steps=5)
    tab.mouse.up()
    by_mouse = arrives(tab)
    assert by_mouse != example and len(set(by_mouse)) > 2  # the example has made way, and edges are smooth

    touch(tab, [at(0.2, 0.5), at(0.5, 0.5), at(0.8, 0.5)])
    by_touch = arrives(tab)
    assert sum(a != b for a, b in zip(by_mouse, by_touch, strict=True)) > 10

    tab.locator("canvas").focus()
    for key in ("Shift+ArrowUp", "Space", "Shift+ArrowLeft", "ArrowLeft", "ArrowDown"):
        tab.keyboard.press(key)
    expect(tab.get_by_role("status").filter(has_text="Pen down, column")).to_be_visible(timeout=SECONDS)
    tab.keyboard.press("Space")
    tab.get_by_role("status").filter(has_text="Pen up, column").wait_for()
    assert arrives(tab) != by_touch
    tab.keyboard.press("Control+z")
    assert arrives(tab) == by_touch

    tab.get_by_role("button", name="Clear").click()
    tab.get_by_text(WAITS).wait_for()
    tab.get_by_role("button", name="Undo stroke").click()
    assert arrives(tab) == by_touch
    tab.get_by_role("button", name="One of its images").click()
    tab.locator(".gets", has_text="averaged to").wait_for()
    until(tab, lambda: arrives(tab) != by_touch, "another image on the canvas")
    settle(tab)
