"""The command that says how well criteria agree with the oracle."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import click

from explorer.cli.options import Request, requests
from explorer.cli.oracle import measure_oracle, oracle_options
from explorer.cli.output import progress, table, text, write_json
from explorer.cli.own_criteria import own_criteria
from explorer.cli.subject import open_subject
from explorer.scoring.bootstrap import COVERED, RESAMPLES, Interval, Resampling, intervals
from explorer.scoring.criteria import CRITERIA, applicable, needs, score
from explorer.scoring.evidence import gather
from explorer.scoring.ranking import GROUPS, SCALINGS, TOP, correlation_table, measures

Values = Mapping[str, Mapping[str, float]]
Intervals = Mapping[str, Mapping[str, Interval]]

TABLE_1 = "l2"  # the paper's scaling, whose correlation is always told


@click.command()
@requests()
@oracle_options
@own_criteria
@click.option(
    "--scaling",
    type=click.Choice(list(SCALINGS)),
    default=TABLE_1,
    show_default=True,
    help="How saliencies are scaled, layer by layer, in the columns over all layers.",
)
@click.option(
    "--resamples",
    type=click.IntRange(min=0),
    default=RESAMPLES,
    show_default=True,
    help="Bootstrap resamples of the images for the intervals; 0 leaves these out.",
)
def correlate(request: Request, scaling: str, resamples: int, own: tuple[str, ...], **how: Any) -> None:
    """Compare every criterion's ranking with the oracle's.

    Spearman's and Kendall's correlation with oracle-abs: the mean over layers, over all units, and over all units after
    layer-wise scaling of the saliency; and how many of the units that the oracle would remove first the criterion would
    remove first too. Intervals are the range that 95 % of bootstrap resamples of the images give, once the oracle is
    exact on all of them.
    """
    subject = open_subject(request, needs_units=True)
    batches = subject.calibration()
    with progress("Scoring") as report:
        parts = needs(applicable(subject.network))
        evidence = gather(subject.network, batches, parts, seed=subject.seed, report=report)
    oracle = measure_oracle(subject, batches, **how)
    saliencies = score(evidence)
    spreads: Intervals = {}
    if resamples and oracle.whole:
        with progress("Drawing the images anew") as report:
            spreads = intervals(evidence, oracle, score, scaling, Resampling(resamples, subject.seed), report)
    found = {name: correlation_table(saliencies, oracle.oracle_abs, oracle.units, name) for name in (TABLE_1, scaling)}
    _show(found[scaling], spreads, scaling, subject.measured_on(batches, subject.stage.pruned), resamples)
    rows = {name: {**found[TABLE_1][name], **row} for name, row in found[scaling].items()}
    settings = {**how, "method": oracle.method, "scaling": scaling, "resamples": resamples, "top": TOP}
    write_json(request.json, subject.result({"table": rows, "intervals": spreads}, batches, **settings))


def _show(found: Values, spreads: Intervals, scaling: str, measured_on: str, resamples: int) -> None:
    """One table a group of measures."""
    how = f"In brackets: the range that {COVERED:.0%} of {resamples} bootstrap resamples of the images give."
    notes = [measured_on, *([how] if spreads else [])]
    for group, title in GROUPS.items():
        shown = [m for m in measures(scaling) if m.group == group]
        columns = ("Criterion", *(m.column.capitalize() for m in shown))
        rows = [
            [CRITERIA[name].title, *(_cell(values[m.name], spreads.get(name, {}).get(m.name)) for m in shown)]
            for name, values in found.items()
        ]
        table(title, columns, rows, notes if group == list(GROUPS)[-1] else [])


def _cell(value: float, spread: Interval | None) -> str:
    if math.isnan(value):
        return text(value)
    return f"{value:.3f} ({spread[0]:.3f} to {spread[1]:.3f})" if spread else f"{value:.3f}"
