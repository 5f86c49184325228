"""The report: one page that reads from nowhere else, and shows names as they are."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from exported import described, odd

from explorer.export import report
from explorer.export.charts import Point, bars, curve
from explorer.timeline import Metrics, State

HOSTILE = '"><script>alert(1)</script>\n<!--'
WHOLE, HALF = Metrics(0.1, 0.975, 100, 10, 1000, 4000), Metrics(0.2, 0.95, 100, 6, 500, 2000)
HISTORY = (
    State(None, (), "as loaded", WHOLE),
    State(0, (("0", 1),), HOSTILE, HALF, pruned=replace(HALF, accuracy=0.5), updates=3, name=HOSTILE),
)


class Tags(HTMLParser):
    """The tags of a page, and the addresses that it names."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [str(value) for name, value in attrs if name in ("src", "href", "data", "action")]


def page() -> str:
    network = replace(odd(), name=HOSTILE, arch=HOSTILE, classes=(HOSTILE,) * 7)
    metrics = {"before": vars(WHOLE), "after": vars(HALF)}
    return report.render(described(network, metrics=metrics, provenance={HOSTILE: HOSTILE}, history=HISTORY)).decode()


def test_a_page_runs_no_script_and_reads_nothing_from_elsewhere() -> None:
    found = Tags(page())
    assert "svg" in found.tags
    assert not {"script", "link", "iframe", "img"} & set(found.tags)
    assert found.addresses == []
    assert "url(" not in page() and "@import" not in page()


def test_a_page_shows_what_the_run_measured() -> None:
    said = page()
    for number in ("97.50%", "95.00%", "4,000", "2,000", "50.0%", "60.0%"):
        assert number in said
    assert "prefers-color-scheme: dark" in said


def test_a_step_with_fine_tuning_has_a_mark_before_and_one_after() -> None:
    said = page()
    accuracy = said[said.index("Accuracy: ") : said.index("Loss, nats: ")]
    assert (accuracy.count('class="before"'), accuracy.count('class="after"')) == (2, 1)


def test_marks_lie_where_their_values_do() -> None:
    drawn = curve("t", [Point(1.0, 0.9, False, ""), Point(0.5, 0.7, True, "")], "left", percent=True)
    (x0, y0), (x1, y1) = (
        (float(mark.split('cx="')[1].split('"')[0]), float(mark.split('cy="')[1].split('"')[0]))
        for mark in drawn.split("<circle ")[1:]
    )
    assert x0 < x1 and y0 < y1


def test_bars_are_as_long_as_layers_are_wide() -> None:
    drawn = bars([("a", 5, 10), ("b", 20, 20)])
    kept = [float(part.split('width="')[1].split('"')[0]) for part in drawn.split("<rect ")[1:]]
    assert kept == pytest.approx([kept[3] / 2, kept[3] / 4, kept[3], kept[3]], abs=0.1)
    assert "25 of 30 units left in 2 layers." in drawn
