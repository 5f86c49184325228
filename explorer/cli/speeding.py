"""The command that times a network before and after pruning."""

from __future__ import annotations

from dataclasses import asdict

import click

from explorer.cli.options import COUNT, Request, requests
from explorer.cli.output import progress, table, write_json
from explorer.cli.subject import open_subject
from explorer.networks.costs import FLOPS_CONVENTION
from explorer.speed.engines import ENGINES
from explorer.speed.measure import measure_speed
from explorer.speed.result import DEFAULT_TERMS, Size, SpeedReport, Timing, TimingTerms, warning
from explorer.study.speed_published import SOURCE, TABLE

RUN = click.argument("network", metavar="RUN")
ENGINE_HELP = "; ".join(f"{each.name}: {each.summary}" for each in ENGINES.values())


@click.command()
@requests(RUN)
@click.option(
    "--engine",
    "engines",
    type=click.Choice(list(ENGINES)),
    multiple=True,
    default=DEFAULT_TERMS.engines,
    show_default=True,
    help=f"{ENGINE_HELP}; repeatable.",
)
@click.option(
    "--threads",
    type=COUNT,
    multiple=True,
    help="Threads of the processor. May be repeated.  [default: as many as torch uses]",
)
@click.option(
    "--batch",
    "batches",
    type=COUNT,
    multiple=True,
    default=DEFAULT_TERMS.batches,
    show_default=True,
    help="Images in one batch. May be repeated.",
)
@click.option(
    "--runs",
    type=COUNT,
    default=DEFAULT_TERMS.runs,
    show_default=True,
    help="Timed runs of each network, after warm-up.",
)
@click.option(
    "--multiple",
    "multiples",
    type=COUNT,
    multiple=True,
    default=DEFAULT_TERMS.multiples,
    show_default=True,
    help="Preview widths rounded up to multiples of this, with the first engine and the largest batch. May be "
    "repeated.",
)
def speed(
    request: Request,
    engines: tuple[str, ...],
    threads: tuple[int, ...],
    batches: tuple[int, ...],
    runs: int,
    multiples: tuple[int, ...],
) -> None:
    """Time a run's network before and after pruning, a run of each in turn.

    RUN is a run folder, or a folder that `export --original` has written. Blank images are run; none are read.
    """
    terms = TimingTerms(engines, threads, batches, runs, multiples)
    subject = open_subject(request, needs_images=False)
    full = subject.original
    with progress("Measuring") as report:
        found = measure_speed(full, subject.network, terms, report)
    _show(subject.network.name, found)
    write_json(
        request.json,
        subject.result(
            {
                **asdict(found),
                "theoretical": found.theoretical,
                "speed_ups": [timing.speed_up for timing in found.timings],
                "published": [asdict(row) for row in TABLE],
            },
            **asdict(terms),
        ),
    )


def _show(name: str, found: SpeedReport) -> None:
    columns = ("Conditions", "Full, ms", "Quartiles", "Pruned, ms", "Quartiles", "Images/s", "Speed-up", "By FLOPs")
    rows = [_row(each.conditions, each, found.theoretical) for each in found.timings]
    for each in found.rounded:
        if each.timing:
            what = f"widths in multiples of {each.multiple} ({each.back} units back): {each.timing.conditions}"
            rows.append(_row(what, each.timing, found.full.flops / each.flops))
    notes = [
        *(_size("Full", found.full), _size("Pruned", found.pruned)),
        f"FLOPs: {FLOPS_CONVENTION}. Both networks ran in turns on blank images; times are medians of as "
        "many runs of each, after warm-up. By FLOPs: the speed-up if FLOPs alone decided the time.",
        *(
            f"Note: {sentence}"
            for sentence in (*found.refused, *(warning(found, each) for each in found.timings))
            if sentence
        ),
    ]
    table(f"Speed of {name}", columns, rows, notes)
    published = [
        [row.network, row.where, row.full, row.pruned, f"{row.measured:.1f}x", f"{row.theoretical:.1f}x"]
        for row in TABLE
    ]
    table(
        "Published", ("Network", "Where", "Full, ms", "Pruned, ms", "Speed-up", "By FLOPs"), published, [f"{SOURCE}."]
    )


def _row(what: str, timing: Timing, theoretical: float) -> list[object]:
    full, pruned = timing.full, timing.pruned
    return [
        what,
        full.median,
        f"{full.lower_quartile:.4g} to {full.upper_quartile:.4g}",
        pruned.median,
        f"{pruned.lower_quartile:.4g} to {pruned.upper_quartile:.4g}",
        pruned.throughput[0],
        f"{timing.speed_up:.2f}x",
        f"{theoretical:.2f}x",
    ]


def _size(name: str, size: Size) -> str:
    return (
        f"{name}: {size.parameters:,} parameters, {size.flops / 1e6:,.1f} MFLOPs, {size.weights / 1e6:,.2f} MB of "
        f"weights, {size.memory / 1e6:,.1f} MB at most in a pass of {size.batch} images."
    )
