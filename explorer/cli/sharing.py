"""The command that makes one HTML file of a run, to be explored without the program."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from explorer.cli.options import Request, requests
from explorer.cli.oracle import measure_oracle
from explorer.cli.output import check_writable, progress, table, warn, write_json
from explorer.cli.subject import Subject, open_subject
from explorer.core.errors import BadInput
from explorer.core.files import write_whole
from explorer.data import Batches
from explorer.export.sharing.explored import Explored
from explorer.export.sharing.page import page
from explorer.runs.stages import Stage
from explorer.runs.store import FILE, Run
from explorer.scoring.criteria import score
from explorer.scoring.evidence import Evidence, gather, gather_of_weights

RUN = click.argument("network", metavar="RUN")
NO, SETTLED, WHOLE = ORACLES = ("no", "settled", "whole")


@click.command()
@requests(RUN)
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", required=True, help="The HTML file to write.")
@click.option(
    "--oracle",
    type=click.Choice(ORACLES),
    default=NO,
    show_default=True,
    help="Measure what removing each single unit does too: until its ranks have settled, or on all images.",
)
def share(request: Request, out: Path, oracle: str) -> None:
    """Make one HTML file of a run, to be explored in any browser without the program.

    FILE has every state of the run, to scrub; saliencies and ranks of all units by every criterion; the image that
    excites each unit most; what was pruned; and the oracle beside them where it is measured. Units are scored in the
    network that the run began with. The file asks nothing of any other computer, names no folder of this one, and says
    what was not measured.
    """
    check_writable(out, "--out")
    if out.name == FILE:
        raise BadInput(f"--out {out} has the name of a run's own file: call it something.html.")
    subject = open_subject(request, needs_images=oracle != NO, needs_units=True)
    run = _measured_run(subject)
    began = replace(subject, network=subject.original)
    images = began.calibration() if began.images else None
    evidence = _evidence(began, images)
    found = (
        measure_oracle(began, images, False, None, "float32", oracle == SETTLED) if images and oracle != NO else None
    )
    explored = Explored(run, began.network, score(evidence), images, evidence.seen, found)
    with progress("Pictures of units") as report:
        content = page(explored, report)
    write_whole(out, content)
    for sentence in explored.missing:
        warn(sentence)
    about = [began.measured_on(images, Stage())] if images else []
    counts = {
        "States": len(run.states.states),
        "Units": len(began.network.units),
        "Criteria": len(explored.saliencies),
        "MB": len(content) / 1e6,
    }
    table(f"{began.network.name}, to share", ("What", "Number"), counts.items(), [f"Written to {out}.", *about])
    results = {"path": str(out), "bytes": len(content), "missing": list(explored.missing)}
    write_json(request.json, began.result(results, *([images] if images else []), out=str(out), oracle=oracle))


def _measured_run(subject: Subject) -> Run:
    if subject.run is None or subject.run.timeline is None:
        raise BadInput(
            f"{subject.request.network} is not a run with measured states, and only a run can be shared: give the "
            "folder that `prune --out` wrote, or that the app keeps."
        )
    return subject.run


def _evidence(subject: Subject, images: Batches | None) -> Evidence:
    if images is None:
        return gather_of_weights(subject.network, seed=subject.seed)
    with progress("Scoring") as report:
        return gather(subject.network, images, seed=subject.seed, report=report)
