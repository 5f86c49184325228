"""The page to share, opened from a file by a browser that is offline: it is quick, it moves, its numbers agree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright")

from playwright.sync_api import Browser, Page
from shared_pages import HOSTILE, METRICS, explored, small

from explorer.export.sharing.page import page

OPENING_SECONDS, SCRUB_MS = 6.0, 250.0  # a few times what opening and a step of the slider take on a busy machine
LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd / 1000"
SCRUB = "(() => { const t = performance.now(); moveTo(1); moveTo(0); return (performance.now() - t) / 2 })()"
WIDE = "document.documentElement.scrollWidth - innerWidth"


@pytest.fixture(scope="module")
def opened(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Page]]:
    """Call with bytes and options of a tab: the page. At the end nothing else was asked for, and none failed."""
    folder, pages, asked, said = tmp_path_factory.mktemp("shared"), list[Page](), list[str](), list[str]()

    def open_file(content: bytes, **options: Any) -> Page:
        path: Path = folder / f"{len(pages)}.html"
        path.write_bytes(content)
        tab = browser.new_context(offline=True, **options).new_page()
        pages.append(tab)
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.goto(path.as_uri())
        return tab

    yield open_file
    for tab in pages:
        tab.context.close()
    assert asked == [(folder / f"{n}.html").as_uri() for n in range(len(pages))]
    assert said == []


def fact(tab: Page, name: str) -> str:
    return tab.locator(f"[data-fact={name}] b").inner_text()


def test_a_file_opens_quickly_scrubs_by_keys_and_clicks_and_shows_the_runs_numbers(
    opened: Callable[..., Page],
) -> None:
    subject = explored()
    tab = opened(page(subject), viewport={"width": 390, "height": 844})
    assert tab.evaluate(LOADED) < OPENING_SECONDS
    assert tab.evaluate(SCRUB) < SCRUB_MS
    assert tab.evaluate(WIDE) <= 0
    tab.locator("#state").focus()
    tab.keyboard.press("End")
    assert (fact(tab, "accuracy"), fact(tab, "units"), fact(tab, "loss")) == ("62.50 %", "5", "0.2500")
    assert tab.locator("#plan .count").all_inner_texts() == ["3 of 4", "2 of 3"]
    tab.keyboard.press("ArrowLeft")
    assert (fact(tab, "accuracy"), fact(tab, "loss")) == (f"{METRICS.accuracy:.2%}".replace("%", " %"), "0.1250")
    assert tab.locator("#state").get_attribute("aria-valuetext").startswith("0 of 1, state 0: as loaded")
    tab.locator("#curve .hit").nth(1).click()
    assert fact(tab, "units") == "5"
    tab.locator("#units button").nth(1).click()
    assert "goes with state 1" in tab.locator("#unit").inner_text()
    assert tab.locator("#units button.gone").count() == 1
    row = tab.locator("#unit tr", has_text="Oracle").locator("td").all_inner_texts()
    assert subject.oracle is not None
    assert float(row[1].split(" ± ")[0]) == pytest.approx(float(subject.oracle.oracle_loss[1]), rel=5e-3)
    tab.locator("#end").select_option("2")
    assert fact(tab, "units") == "6"
    tab.locator("#criterion").select_option("random")
    assert tab.locator("#agreement tr.chosen td").first.inner_text() == "Random"


def test_hostile_names_are_read_as_they_are_and_what_was_not_measured_is_said(opened: Callable[..., Page]) -> None:
    tab = opened(page(explored(small(HOSTILE), HOSTILE, seen=False)), color_scheme="dark")
    assert tab.locator("h1").text_content() == HOSTILE
    assert HOSTILE.split("\u2028")[0] in tab.locator("#said").inner_text()
    assert tab.locator("#missing li").count() == 2
    assert tab.locator("#units canvas").count() == 0
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 19, 24)"
