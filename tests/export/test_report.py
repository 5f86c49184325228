"""The report: one page that reads from nowhere else, and shows names as they are."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from exported import described, odd

from explorer.evaluation.metrics import Metrics
from explorer.export import report
from explorer.export.charts import LEFT, NARROWEST, RIGHT, WIDTH, ChartPoint, bars, curve
from explorer.runs.stages import CUT, LOADED, PRUNED, TUNED
from explorer.runs.timeline import State

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


def test_what_was_pruned_after_fine_tuning_is_neither_open_nor_filled() -> None:
    points = [ChartPoint(1 - n / 9, 0.5, stage, "") for n, stage in enumerate((LOADED, PRUNED, TUNED, CUT))]
    marks = [mark.split("/>")[0] for mark in curve("t", points, "left", percent=True).split("<circle ")[1:]]
    looks = [(mark.split('cx="')[1].split('"')[0], mark.split('class="')[1].rstrip('"')) for mark in marks]
    places = list(dict.fromkeys(x for x, _ in looks))
    assert [[look for x, look in looks if x == place] for place in places] == [
        ["before"],
        ["before"],
        ["after"],
        ["before", "after"],
    ]
    ring, dot = (float(mark.split(' r="')[1].split('"')[0]) for mark in marks[-2:])
    assert dot < ring / 2


def test_every_state_says_what_had_been_done_to_its_weights() -> None:
    by_hand = State(1, (("0", 2),), "1 unit by hand", replace(HALF, units=5))
    metrics = {"before": vars(WHOLE), "after": vars(HALF)}
    said = report.render(described(odd(), metrics=metrics, history=(*HISTORY, by_hand))).decode()
    accuracy = said[said.index("Accuracy: ") : said.index("Loss, nats: ")]
    assert accuracy.count("before fine-tuning") == 1  # step 1, right after its units went
    assert accuracy.count("after 3 fine-tuning updates") == 2  # step 1, and in the longer words of step 2
    assert accuracy.count("pruned after 3 fine-tuning updates, not fine-tuned since") == 1
    assert "100 validation images, pruned after 3 fine-tuning updates, not fine-tuned since." in said


def test_an_epoch_of_fine_tuning_alone_has_no_mark_of_units_that_went() -> None:
    epoch = State(0, (), "epoch 1", replace(WHOLE, loss=0.05), pruned=WHOLE, updates=3)
    said = report.render(described(odd(), history=(HISTORY[0], epoch))).decode()
    assert "right after the units went" not in said


def test_marks_lie_where_their_values_do() -> None:
    drawn = curve("t", [ChartPoint(1.0, 0.9, PRUNED, ""), ChartPoint(0.5, 0.7, TUNED, "")], "left", percent=True)
    (x0, y0), (x1, y1) = (
        (float(mark.split('cx="')[1].split('"')[0]), float(mark.split('cy="')[1].split('"')[0]))
        for mark in drawn.split("<circle ")[1:]
    )
    assert x0 < x1 and y0 < y1


def columns(drawn: str) -> list[tuple[float, float, str]]:
    """Left, right and text of what the mouse finds in a curve."""
    parts = (part for part in drawn.split("<rect ")[1:])
    found = []
    for part in parts:
        left, width = (float(part.split(f'{name}="')[1].split('"')[0]) for name in ("x", "width"))
        found.append((left, left + width, part.split("<title>")[1].split("</title>")[0]))
    return found


@pytest.mark.parametrize("states", [1, 2, 60, 1000])
def test_every_state_is_found_by_the_mouse_however_many_there_are(states: int) -> None:
    shares = [1 - 0.9 * step / states for step in range(states)]
    drawn = curve("t", [ChartPoint(x, x, TUNED, f"state {n}") for n, x in enumerate(shares)], "left", percent=False)
    found = columns(drawn)
    assert (found[0][0], found[-1][1]) == (LEFT, WIDTH - RIGHT)
    assert all(one[1] == pytest.approx(other[0], abs=0.11) for one, other in pairwise(found))
    assert all(right - left > 0.9 * NARROWEST for left, right, _ in found[:-1])
    assert "\n".join(text for *_, text in found).split("\n") == [f"state {n}" for n in range(states)]
    mark = float(drawn.split(' r="')[1].split('"')[0])
    assert mark == {1: 4.0, 2: 4.0, 60: 3.8, 1000: 1.6}[states]


def test_states_at_one_place_are_told_together() -> None:
    points = [ChartPoint(x, y, PRUNED, f"{x} {y}") for x, y in ((1.0, 0.9), (0.5, 0.7), (0.5, 0.8))]
    assert [text for *_, text in columns(curve("t", points, "left", percent=True))] == ["1.0 0.9", "0.5 0.7\n0.5 0.8"]


def test_the_steps_are_folded_and_counted() -> None:
    said = page()
    steps = said[said.index("<h2>Steps</h2>") : said.index("<h2>Settings and origin</h2>")]
    assert steps.startswith("<h2>Steps</h2><details><summary>1 step from the network as loaded to this state</summary>")
    assert steps.count("<tr>") == 1 + len(HISTORY)


def test_bars_are_as_long_as_layers_are_wide() -> None:
    drawn = bars([("a", 5, 10), ("b", 20, 20)])
    widths = [float(part.split("%")[0]) for part in drawn.split('style="width:')[1:]]
    assert widths == [50, 50, 100, 100]  # of the page and of that, a layer
    assert "25 of 30 units left." in drawn
