"""The command that measures the paper's tables and figures on one's own network."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click

from explorer import study as studies
from explorer.cli.finetuning import finetuned
from explorer.cli.options import Request, requests
from explorer.cli.output import check_writable, progress, table, tell, write_json
from explorer.cli.own_criteria import own_criteria
from explorer.cli.run_storage import IN_USE, check_out
from explorer.cli.subject import Subject, open_subject
from explorer.core.errors import BadInput
from explorer.core.files import write_whole
from explorer.core.locks import sole_writer
from explorer.core.progress import Report
from explorer.data import Batches
from explorer.figures.study_report import report_page
from explorer.networks.architectures.pretrained import imagenet
from explorer.runs import run_folders
from explorer.scoring.criteria import CRITERIA
from explorer.study import PARTS, PRESETS, REPORT, Preset, Study, StudyInputs
from explorer.study.folders import holds_study
from explorer.study.papers import PAPERS, Paper, check_at_hand, images_of, like, weights_path
from explorer.study.parts import parts_with_needs
from explorer.study.presets import with_criteria
from explorer.study.published import CAVEAT, MEASURES
from explorer.training.finetune import IMAGENET, Recipe

NAMES = {True: "yes", False: "no", None: "can't be told"}
NETWORK = "network"  # sub-folder of a study of one of the paper's own settings: the fine-tuned network
COMMAND = ("pruning-explorer", "study")
TOLD = "\n\n".join(f"{part.paper}: {part.computes}" for part in PARTS.values())
EPILOG = f"The paper's own settings, in place of NETWORK: {', '.join(PAPERS)}.\n\nParts:\n\n{TOLD}"


@click.command(epilog=EPILOG)
@requests()
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", required=True, help="Folder for the study.")
@click.option(
    "--preset",
    type=click.Choice(list(PRESETS)),
    default="quick",
    show_default=True,
    help="How much is measured: on the demo and two free cores, quick takes up to 5 minutes, full up to 40.",
)
@click.option("--only", metavar="a,b,c", default="", help=f"Only these parts, and what they need: {', '.join(PARTS)}.")
@own_criteria
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with the study in DIR, which has the same settings; where there is none, start it.",
)
def study(request: Request, out: Path, preset: str, only: str, resume: bool, own: tuple[str, ...]) -> None:
    """Measure the tables and figures of Molchanov et al. 2017 on a network, beside the published ones.

    DIR gets study.json with every number, report.html, and a file of every finished part; a study that is stopped goes
    on with --resume. In place of NETWORK the name of one of the paper's own settings will do: published weights are
    then fine-tuned to its data first, into DIR/network, and pruned with the paper's updates and recipe.
    """
    check_writable(out, "--out", folder=True)
    if holds_study(out) and not resume:
        raise BadInput(f"--out {out} already holds a study: give another folder, or --resume to go on with it.")
    names = [name.strip() for name in only.split(",") if name.strip()]
    parts_with_needs(names)  # a name that is none is refused before anything is opened
    try:
        with sole_writer(out, IN_USE):
            _study(request, out, with_criteria(PRESETS[preset], own), names)
    except (KeyboardInterrupt, click.Abort):
        tell(f"Stopped; {out} holds what is finished: --resume goes on with the rest.")
        sys.exit(1)


def _study(request: Request, out: Path, preset: Preset, only: list[str]) -> None:
    if paper := PAPERS.get(request.network):
        request, preset = _prepared(request, paper, preset, out), paper.fitted(preset)
    subject = open_subject(request, needs_units=True)
    inputs = _inputs(subject, preset, out)
    with _progress() as report:
        for found in studies.study(inputs, report, only):
            _tell(found)
    write_whole(out / REPORT, report_page(found.to_json(), CAVEAT, like(found.about)).encode())
    _show(subject, found, out)
    write_json(request.json, {**found.to_json(), "seconds": time.perf_counter() - request.started})


def _prepared(request: Request, paper: Paper, preset: Preset, out: Path) -> Request:
    """The network of one of the paper's settings, fine-tuned to its data, as a request of one's own."""

    def fetches(folder: str | None) -> str:
        given = ["--data", folder] if folder else []
        return shlex.join([*COMMAND, paper.name, *given, "--preset", preset.name, "--out", str(out), "--download"])

    where = images_of(paper, request.data, fetches)
    if not request.download:
        check_at_hand(paper, where, fetches)
    if not paper.epochs:
        imagenet(paper.arch)  # fetched where it is not at hand
        return replace(request, network=str(weights_path(paper)), arch=paper.arch, data=where, download=False)
    folder = out / NETWORK
    check_out(folder, resume=True)
    fetching = request.download and where == paper.images
    start = replace(request, network=IMAGENET, arch=paper.arch, data=where, download=fetching, json=None)
    finetuned(start, Recipe(learning_rate=paper.learning_rate), paper.epochs, folder)
    return replace(request, network=str(folder), arch=None, data=where, download=False)


def _inputs(subject: Subject, preset: Preset, out: Path) -> StudyInputs:
    request, network = subject.request, subject.network
    limits = {"calibration": preset.images, "finetune": None, "validation": preset.validation}
    splits: dict[str, Batches] = {
        name: subject.batches(name, min(filter(None, (limit, request.limit)), default=None))
        for name, limit in limits.items()
    }
    about = run_folders.described(network, splits, {}, network_from=request.network, images_from=subject.images_from)
    return StudyInputs(network, splits, preset, subject.seed, out, about)


@contextmanager
def _progress() -> Iterator[Report]:
    """The bar, with the time that is left by the share that is done."""
    begun: list[tuple[float, float]] = []
    with progress("Studying") as bar:

        def report(done: int, total: int, note: str = "") -> None:
            now, share = time.monotonic(), done / total
            if not begun:
                begun.append((now, share))
            bar(done, total, f"{_left(now - begun[0][0], share - begun[0][1], 1 - share)}{note}")

        yield report


def _left(seconds: float, done: float, left: float) -> str:
    """ "about 3 min left; ", once that can be told."""
    if done < 0.02 or seconds < 5:
        return ""
    wait = seconds * left / done
    return f"about {wait / 60:.0f} min left; " if wait > 90 else f"about {wait:.0f} s left; "


def _tell(found: Study) -> None:
    """One line on stderr for what is done and what is missing."""
    missing = ", ".join(dict.fromkeys(part.paper for part in found.missing)) or "nothing"
    tell(f"{len(found.parts)} of {len(PARTS)} parts done; missing: {missing}.")


def _show(subject: Subject, found: Study, out: Path) -> None:
    """Table 1, and what of the paper's findings holds."""
    if agreement := found.parts.get("agreement"):
        spans = agreement["result"]["intervals"]
        rows = [
            [CRITERIA[name].title, *(_cell(row[m], spans[name][m]) for m in MEASURES)]
            for name, row in agreement["result"]["table"].items()
        ]
        columns = ("Criterion", *(column.capitalize() for column in MEASURES.values()))
        table(f"{subject.network.name}: Spearman's correlation with oracle-abs", columns, rows, [agreement["setting"]])
    findings = [
        [PARTS[name].paper, finding["claim"], finding["here"], NAMES[finding["holds"]]]
        for name, part in found.parts.items()
        for finding in (*part["findings"], *part["measured"].get("findings", ()))
    ]
    notes = [CAVEAT, f"{out / REPORT} shows all tables and figures beside the published ones."]
    table("The paper's findings", ("Of", "Finding", "Here", "Holds"), findings, notes)


def _cell(value: float | None, span: list[float | None]) -> str:
    if value is None or None in span:
        return "-"
    return f"{value:.2f} ({span[0]:.2f} to {span[1]:.2f})"
