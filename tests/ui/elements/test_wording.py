"""Numbers as people read them, by arithmetic."""

from __future__ import annotations

from dataclasses import replace

import pytest

from explorer.evaluation.metrics import Metrics
from explorer.ui.elements import wording

BEFORE = Metrics(loss=0.1, accuracy=0.98, images=500, units=448, parameters=435306, flops=28_700_000)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        *((0, "0"), (7, "7"), (999, "999"), (1000, "1.00k"), (1234, "1.23k"), (43_530, "43.5k")),
        *((435_306, "435k"), (57_300_000, "57.3M"), (4_100_000_000, "4.10G"), (123e9, "123G")),
    ],
)
def test_large_numbers_have_three_digits_and_a_suffix(number: float, text: str) -> None:
    assert wording.short(number) == text


@pytest.mark.parametrize("number", [999.6, 999_600, 99_960, 9_996, 999_999_999])
def test_rounding_never_makes_four_digits(number: float) -> None:
    digits = [c for c in wording.short(number) if c.isdigit()]
    assert len(digits) <= 3


@pytest.mark.parametrize(
    ("now", "before", "text"),
    [(448, 448, ""), (224, 448, "−50.0 %"), (447, 448, "−0.2 %"), (3, 2, "+50.0 %"), (0, 4, "−100.0 %")],
)
def test_change_in_percent(now: float, before: float, text: str) -> None:
    assert wording.change(now, before) == text


def test_a_change_from_nothing_is_no_error() -> None:
    assert wording.change(0, 0) == ""
    assert wording.change(3, 0) == "+inf %"


def test_change_in_percentage_points() -> None:
    assert wording.points(0.976, 0.98) == "−0.4 points"
    assert wording.points(0.985, 0.98) == "+0.5 points"
    assert wording.points(0.98, 0.98) == ""


def test_change_of_a_loss() -> None:
    assert wording.nats(0.112, 0.1) == "+0.0120"
    assert wording.nats(0.05, 0.1) == "−0.0500"
    assert wording.nats(0.1, 0.1) == ""


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "0 s"), (8, "8 s"), (89, "89 s"), (90, "2 min"), (180, "3 min")])
def test_durations(seconds: float, text: str) -> None:
    assert wording.duration(seconds) == text


def test_facts_of_the_network_as_loaded_have_no_changes() -> None:
    assert wording.facts(BEFORE, BEFORE) == [
        ("Units", "448", ""),
        ("Parameters", "435k", ""),
        ("FLOPs", "28.7M", ""),
        ("Loss", "0.1000", ""),
        ("Accuracy", "98.0%", ""),
    ]


def test_facts_against_another_state() -> None:
    now = replace(BEFORE, loss=0.15, accuracy=0.97, units=336, parameters=217_653, flops=14_350_000)
    assert [change for _, _, change in wording.facts(now, BEFORE)] == [
        "−25.0 %",
        "−50.0 %",
        "−50.0 %",
        "+0.0500",
        "−1.0 points",
    ]


@pytest.mark.parametrize(("place", "text"), [(3, "3"), (3.5, "3.5"), (1234.0, "1,234"), (float("nan"), "–")])
def test_ranks(place: float, text: str) -> None:
    assert wording.rank(place) == text


@pytest.mark.parametrize(
    ("loss", "flops", "images", "said"),
    [
        (0.105, 10_000_000, 500, "65 % of the FLOPs went, and the loss did not change beyond its error: +0.0050"),
        (0.095, 10_000_000, 500, "65 % of the FLOPs went, and the loss did not change beyond its error: −0.0050"),
        (0.111, 10_000_000, 500, ""),
        (0.105, 28_000_000, 500, ""),
        (0.105, 10_000_000, 499, ""),
    ],
)
def test_much_that_went_for_nothing_is_a_sentence(loss: float, flops: int, images: int, said: str) -> None:
    before = replace(BEFORE, loss_error=0.01)
    now = replace(before, loss=loss, flops=flops, images=images)
    assert wording.for_nothing(now, before).startswith(said) and bool(wording.for_nothing(now, before)) == bool(said)
    assert wording.for_nothing(now, BEFORE) == ""
