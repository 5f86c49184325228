"""The study's report in a browser: it fits a telephone, and follows the theme."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright")

from playwright.sync_api import Browser, Page

from explorer.figures.study_report import report_page
from explorer.study import PARTS
from explorer.study.folders import unmeasured_part
from explorer.study.published import CAVEAT, LIKE

NAMES = ("taylor", "activation_mean", "weight", "obd", "random", "flops", "flops-scaled")
SHARES, VALUES = [1.0, 0.5, 0.2], [0.97, 0.95, 0.6]
PLOT = "document.querySelector('.nsewdrag').getBoundingClientRect()"
INK = "getComputedStyle(document.querySelector('.legendtext')).fill"


def content() -> dict[str, Any]:
    """A study of which the race is done, with numbers made up here."""
    shares = dict.fromkeys(("units", "parameters", "flops"), SHARES)
    spread = dict.fromkeys(("median", "least", "largest"), VALUES)
    lines = [
        {"name": name, "label": f"Line of {name}, weight 0.001", "seeds": [1, 1, 1], **shares, "after": spread}
        for name in NAMES
    ]
    finding = {"claim": "Random falls behind.", "here": "0.97 against 0.95", "holds": True}
    race = {**unmeasured_part(PARTS["race"]), "setting": "Made up.", "findings": [finding], "result": {"lines": lines}}
    network = {"name": "a", "arch": "b", "units": 1, "parameters": 1, "flops": 1, "classes": 2}
    settings = {"preset": "quick", "seed": 0, "device": "cpu", "threads": 1}
    found = {"network": network, "data": {"name": "c"}, "settings": settings}
    return {**found, "parts": [race], "missing": ["speed"], "measured": {}}


@pytest.fixture(scope="module")
def report(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The page, as wide as a telephone."""
    path: Path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(report_page(content(), CAVEAT, LIKE))
    page = browser.new_page(viewport={"width": 420, "height": 900}, color_scheme="light")
    page.goto(path.as_uri())
    yield page
    page.close()


def test_on_a_telephone_lines_have_the_width_and_their_names_stand_above(report: Page) -> None:
    report.wait_for_function(f"{PLOT}.width > 220")
    assert report.evaluate("document.documentElement.scrollWidth") <= 420
    names, plot = report.locator(".legend").first.bounding_box(), report.evaluate(PLOT)
    assert names and names["y"] + names["height"] <= plot["y"] and plot["height"] > 150
    assert report.locator(".legend").first.locator(".legendtext").count() == len(NAMES)


def test_on_a_wide_page_they_stand_beside_the_lines_again(report: Page) -> None:
    names = report.locator(".legend").first
    report.set_viewport_size({"width": 1400, "height": 900})
    report.wait_for_function(f"document.querySelector('.legend').getBoundingClientRect().x > {PLOT}.right")
    assert names.bounding_box()["y"] < report.evaluate(f"{PLOT}.bottom")
    report.set_viewport_size({"width": 420, "height": 900})
    report.wait_for_function(f"document.querySelector('.legend').getBoundingClientRect().bottom <= {PLOT}.y")
    assert names.locator(".legendtext").count() == len(NAMES)


def test_figures_follow_the_theme(report: Page) -> None:
    assert report.evaluate(INK) == "rgb(26, 34, 44)"
    report.emulate_media(color_scheme="dark")
    report.wait_for_function(f"{INK} === 'rgb(228, 232, 238)'")


def test_how_many_findings_hold_is_said_first(report: Page) -> None:
    assert report.locator("p").nth(1).inner_text().startswith("Of the paper's findings 1 hold here; each stands below")
