"""The command that measures what removing each single unit does, and what other commands take from it."""

from __future__ import annotations

from typing import Any

import click

from explorer.cli.options import Command, Request, requests
from explorer.cli.output import progress, table, write_json
from explorer.cli.scoring import quartiles
from explorer.cli.subject import Subject, open_subject
from explorer.data import Batches
from explorer.scoring.oracle import PRECISIONS, SETTLED, Oracle, OracleOptions, oracle_steps
from explorer.scoring.ranking import rank_statistics

GIB = 1 << 30
SETTLED_HELP = f"""Stop as soon as the ranks have settled: by the standard errors, their correlation with the final
ranks is expected to be at least {SETTLED}. The first estimate is linearised, and the images that tell most come
first."""

OPTIONS = (
    click.option(
        "--reference",
        is_flag=True,
        help="Measure in the slow, direct way: close one gate, run the whole network, go on to the next.",
    ),
    click.option(
        "--memory",
        type=click.FloatRange(min=0, min_open=True),
        metavar="GIB",
        help="Memory to use at most beside the network; changes no result.  [default: a quarter of what is free]",
    ),
    click.option(
        "--precision",
        type=click.Choice(list(PRECISIONS)),
        default="float32",
        show_default=True,
        help="Precision of convolutions and products; the result says how its ranks correlate with those in float32.",
    ),
)


def oracle_options(command: Command) -> Command:
    """Give a command the option values that `measure_oracle` takes."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@click.command()
@requests()
@click.option("--settled", is_flag=True, help=SETTLED_HELP)
@oracle_options
def oracle(request: Request, **how: Any) -> None:
    """Measure what removing each single unit does to the loss.

    oracle-loss is the change in mean loss over the calibration images, in nats, above 0 where the removal hurts;
    oracle-abs is its absolute value, taken after the mean over images.
    """
    subject = open_subject(request, needs_units=True)
    batches = subject.calibration()
    found = measure_oracle(subject, batches, **how)
    _show(found, subject.measured_on(batches, subject.stage.pruned))
    content = {
        "layers": _layers(found),
        "images": found.images,
        "method": found.method,
        "expected_agreement": found.expected_agreement,
        "note": found.note,
    }
    write_json(request.json, subject.result(content, batches, **how))


def measure_oracle(
    subject: Subject,
    batches: Batches,
    reference: bool,
    memory: float | None,
    precision: str,
    settled: bool = False,
) -> Oracle:
    """The oracle of these images: whole, or as soon as its ranks have settled."""
    budget = None if memory is None else round(memory * GIB)
    chosen = OracleOptions(reference=reference, estimates=settled, memory=budget, precision=precision)
    with progress("Oracle") as report:
        for found in oracle_steps(subject.network, batches, chosen, report=report):
            if settled and found.settled:
                break
    return found


def _layers(found: Oracle) -> list[dict[str, Any]]:
    values = {name: getattr(found, name) for name in ("oracle_loss", "oracle_abs", "standard_error", "remaining_error")}
    return [
        {"name": layer, **{key: numbers[place].tolist() for key, numbers in values.items()}}
        for layer, place in found.units.slices.items()
    ]


def _show(found: Oracle, measured_on: str) -> None:
    losses = found.units.by_layer(found.oracle_loss)
    rows = [
        [r.layer, len(losses[r.layer]), *quartiles(losses[r.layer])[::2], r.minimum, r.median, r.maximum]
        for r in rank_statistics(found.oracle_abs, found.units)
    ]
    columns = ("Layer", "Units", "Least loss", "Median", "Most loss", "Best rank", "Median rank", "Worst rank")
    notes = [
        measured_on,
        "Loss: oracle-loss in nats, the change when one unit goes. Rank: of oracle-abs among all, 1 = most important.",
    ]
    if not found.whole:
        notes.append(
            f"{found.images} of {found.total} images are exact, the others linearised: these ranks are expected to "
            f"correlate {found.expected_agreement:.3f} with the final ones."
        )
    table(f"Oracle ({found.method})", columns, rows, [*notes, *([found.note] if found.note else [])])
