"""Progress: how long work reports where it is, and how it is stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

Report = Callable[[int, int, str], None]
"""Called as report(done, total, note); it may raise to cancel the work, which then leaves nothing behind."""

TICKS = 1000  # of the whole work: how finely stages are placed in it


def silent(done: int, total: int, note: str = "") -> None:
    """A report that is not shown."""


def within(report: Report, first: float, last: float, where: str = "") -> Report:
    """The report of one stage, whose own way from start to end is the whole's from `first` to `last` (shares, 0 to 1).

    where: comes before every note of the stage.
    """

    def of_stage(done: int, total: int, note: str = "") -> None:
        share = first + (last - first) * done / max(total, 1)
        report(round(TICKS * share), TICKS, "; ".join(filter(None, (where, note))))

    return of_stage


def one_of(report: Report, place: int, count: int, where: str = "") -> Report:
    """The report of one of `count` stages that take as long as each other; place: 0 to count - 1."""
    return within(report, place / count, (place + 1) / count, where)


def in_turns(report: Report, stages: Sequence[str]) -> list[Report]:
    """The reports of stages that go on in turns: the whole is as far as they are on average.

    stages: their names, which come before every note of theirs.
    """
    shares = [0.0] * len(stages)

    def of_stage(place: int, done: int, total: int, note: str = "") -> None:
        shares[place] = done / max(total, 1)
        report(round(TICKS * sum(shares) / len(shares)), TICKS, "; ".join(filter(None, (stages[place], note))))

    return [partial(of_stage, place) for place in range(len(stages))]


def staying(report: Report, share: float, where: str = "") -> Report:
    """The report of a stage during which the whole stays at one share (0 to 1), so that it can be cancelled there.

    where: the only note; by default the stage's own, with how far it is.
    """

    def of_stage(done: int, total: int, note: str = "") -> None:
        report(round(TICKS * share), TICKS, where or f"{done} of {total} {note}")

    return of_stage
