"""The report at the end of the race command: a table for people, and the curves as a web page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from html import escape
from pathlib import Path

from explorer.cli.output import table
from explorer.cli.subject import Subject
from explorer.core.files import write_whole
from explorer.core.palette import LIGHT
from explorer.data import Batches
from explorer.figures.race_curve import race_curve
from explorer.networks.costs import FLOPS_CONVENTION
from explorer.pruning.race import Lane, Race, RaceTerms
from explorer.pruning.race_bands import REPORTED_SHARES, RaceBand, bands, first_at_share, overlap_with
from explorer.pruning.selectors import SELECTORS

SHARES = (0.75, 0.5, 0.25)  # of the units, left
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Race</title></head>
<body style="margin: 1rem; font-family: sans-serif; max-width: 62rem; background: {ground}; color: {ink}">
{figure}
<p style="font-size: 0.85rem; color: {muted}">{caption}</p>
</body></html>
"""


def show(subject: Subject, terms: RaceTerms, validation: Batches, lanes: Race) -> list[str]:
    """Print the table; the lines under it."""
    settings = terms.settings
    notes = _notes(subject, terms, validation, lanes)
    found = bands(lanes, "accuracy", "units", fine_tuned=settings.updates > 0)
    shares = [share for share in SHARES if any(first_at_share(band, share) is not None for band in found)]
    known = [share for share in REPORTED_SHARES if terms.truth]
    columns = ["Criterion", *(f"At most {share:.0%} of the units" for share in shares), "Last step", "MFLOPs left"]
    columns += [f"Oracle's first {share:.0%}" for share in known]
    rows = [
        [
            SELECTORS[band.selector].title,
            *(_accuracy(band, first_at_share(band, share)) for share in shares),
            f"{_accuracy(band, len(band.x) - 1)} at {band.x[-1]:.0%}",
            _flops(lanes, band.selector),
            *(_share(overlap_with(lanes, band.selector, share)) for share in known),
        ]
        for band in found
    ]
    measure, target = settings.measure, settings.target
    table(f"{subject.network.name}, raced down to {measure}={target:g}: accuracy", columns, rows, notes)
    return notes


def overlaps(terms: RaceTerms, lanes: Race) -> dict[str, dict[str, float | None]]:
    """Selector -> share of the units -> of what the oracle had removed by then, the share that it had removed too."""
    if not terms.truth:
        return {}
    return {
        each: {f"{share:g}": overlap_with(lanes, each, share) for share in REPORTED_SHARES} for each in terms.selectors
    }


def write_page(path: Path, lanes: Race, quantity: str, against: str, notes: Sequence[str]) -> None:
    """The curves as a page that needs nothing else; both stages where there is fine-tuning."""
    tuned = any(point.pruned for lane in lanes for point in lane.points)
    stages = (True, False) if tuned else (False,)
    found = [band for stage in stages for band in bands(lanes, quantity, against, fine_tuned=stage)]
    figure = race_curve(found, quantity, against).to_html(full_html=False, include_plotlyjs=True)
    caption = "<br>".join(map(escape, notes))
    write_whole(path, PAGE.format(**asdict(LIGHT), figure=figure, caption=caption).encode())


def _notes(subject: Subject, terms: RaceTerms, validation: Batches, lanes: Race) -> list[str]:
    settings, seeds = terms.settings, len(terms.seeds)
    recipe = settings.recipe
    alike = [SELECTORS[lane.selector].title for lane in lanes if lane.every_seed]
    notes = [
        f"Measured on {validation.describe()}, on {subject.network.device}; median of {seeds} seeds "
        f"({terms.seeds[0]} to {terms.seeds[-1]}), in brackets the least and the largest.",
        f"{settings.step} units a step, then {settings.updates} updates: {recipe.optimizer.upper()}, learning rate "
        f"{recipe.learning_rate:g}, minibatches of {recipe.batch_size}. All after fine-tuning."
        if settings.updates
        else f"{settings.step} units a step, ranked anew before each; all before fine-tuning.",
    ]
    if alike and seeds > 1:
        notes.append(f"Run once, because every seed would give the same: {', '.join(alike)}.")
    if terms.timed:
        notes.append(_timed(lanes[0]))
    return [*notes, f"FLOPs: {FLOPS_CONVENTION}."]


def _timed(lane: Lane) -> str:
    speed = lane.points[-1].speed
    assert speed is not None, "a timed race has latencies"
    full = speed.full
    return (
        f"Latency: lower quartile of {full.runs} runs on {full.device}, {full.threads} threads, batch {full.batch}, "
        "the pruned network and the one as given in turn."
    )


def _accuracy(band: RaceBand, step: int | None) -> str:
    if step is None:
        return "-"
    several = f" ({100 * band.low[step]:.1f}–{100 * band.high[step]:.1f})" if band.seeds[step] > 1 else ""
    return f"{100 * band.y[step]:.1f} %{several}"


def _flops(lanes: Race, selector: str) -> float:
    ends = sorted(lane.points[-1].metrics.flops for lane in lanes if lane.selector == selector)
    return ends[len(ends) // 2] / 1e6


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"
