"""What a person does on the pages and reads there."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Error, FloatRect, Locator, Page, expect

SECONDS = 60_000  # in milliseconds: how long a test waits before it fails
PAGES = ("network", "draw", "saliency", "oracle", "prune", "compare", "challenge", "export", "paper")
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
EXCEPTION = "[data-testid=stException]"
PICTURE = ".js-plotly-plot"
TABLE = "[data-testid=stDataFrame]"
HEAD = 36  # pixels: of a table's head


def visit(tab: Page, page: str, run: str = "") -> None:
    """Open a page by its address, of a run if one is named, and wait for it."""
    tab.goto(f"/{'' if page == 'network' else page}" + (f"?run={run}" if run else ""))
    settle(tab)


def turn(tab: Page, page: str) -> None:
    """Go to another page by its link."""
    tab.get_by_role("navigation", name="App pages").get_by_role("link", name=page.capitalize()).click()
    tab.wait_for_url(re.compile(rf"/{'' if page == 'network' else page}\?"))
    settle(tab)


def settle(tab: Page) -> None:
    """Wait until the page is drawn, and make sure that nothing on it failed."""
    tab.locator(".state-bar").wait_for()
    tab.locator(IDLE).wait_for()
    assert tab.locator(EXCEPTION).count() == 0, tab.locator(EXCEPTION).first.inner_text()
    assert "Traceback" not in tab.locator("body").inner_text()


def facts(tab: Page) -> dict[str, str]:
    """The numbers of the state bar."""
    found = tab.locator(".state-bar .fact").all()
    return {one.locator(".what").inner_text(): one.locator(".value").inner_text() for one in found}


def state(tab: Page) -> str:
    """Which state of the timeline the bar names: "state 1 of 2"."""
    found = re.search(r"state \d+ of \d+", tab.locator(".state-bar").inner_text())
    assert found
    return found[0]


def press(tab: Page, name: str, then: str) -> dict[str, str]:
    """Press a button, wait for the state that the bar shall name, and read its numbers."""
    tab.get_by_role("button", name=name, exact=True).click()
    reach(tab, then)
    return facts(tab)


def reach(tab: Page, wanted: str) -> None:
    """Wait until the bar names a state, for example "state 1 of 2"."""
    tab.locator(".state-bar", has_text=re.compile(rf"{wanted}(?!\d)")).wait_for()
    settle(tab)


def click_state(tab: Page, number: int) -> None:
    """Click the mark of a state in the tree."""
    mark = tab.get_by_role("treeitem", name=re.compile(rf"^State {number}\b")).locator(".mark")
    mark.scroll_into_view_if_needed()
    mark.click(force=True)


def click_row(table: Locator, row: int, height: int = 35) -> None:
    """Click the second column of a row of a table, whose rows are so many pixels high."""
    table.click(position={"x": 160, "y": HEAD + (row + 0.5) * height})


def place(tab: Page, thing: Locator) -> FloatRect:
    """Where something stands, in pixels, once it is drawn."""
    until(tab, lambda: thing.bounding_box() is not None, "something drawn")
    found = thing.bounding_box()
    assert found
    return found


def run_of(tab: Page) -> str:
    """The run that the address names."""
    tab.wait_for_url(re.compile(r"[?&]run=[\w-]+"))
    found = re.search(r"[?&]run=([\w-]+)", tab.url)
    assert found
    return found[1]


def until(tab: Page, true: Callable[[], bool], what: str) -> None:
    """Wait until something holds that no locator can wait for."""
    for _ in range(600):
        if true():
            return
        tab.wait_for_timeout(100)
    raise AssertionError(f"never came: {what}")


def upload(tab: Page, path: Path, arch: str | None = None) -> Locator:
    """Offer a file in the Network page's dialog, and press Open where the file will do; returns the dialog."""
    tab.get_by_role("button", name="Open another network").click()
    dialog = tab.get_by_role("dialog")
    button = dialog.get_by_role("button", name="Open", exact=True).last
    button.wait_for()
    settle(tab)  # until then the fields of the dialog before may still be there
    earlier = dialog.get_by_role("button", name=re.compile("^Remove "))
    while earlier.count():
        with suppress(Error):  # it went with the dialog before
            earlier.first.click(timeout=2000)
    expect(button).to_be_disabled(timeout=SECONDS)
    dialog.locator("input[type=file]").first.set_input_files(path)
    dialog.get_by_role("radio", name="By path or name").click()  # the demo's, unless one says otherwise
    dialog.get_by_role("textbox", name="Name, folder or file").wait_for()
    box = dialog.get_by_role("combobox", name="Architecture")
    if arch and box.input_value() != arch:
        box.fill(arch)
        tab.get_by_role("option", name=arch, exact=True).click()
    alerts = dialog.get_by_role("alert")
    until(tab, lambda: button.is_enabled() or alerts.count() > 0, "a network, or a sentence on why there is none")
    settle(tab)
    if button.is_enabled():
        button.click()
    return dialog
