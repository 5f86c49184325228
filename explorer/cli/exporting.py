"""Commands that write a network to files, and prove that these compute the same."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click
import torch

from explorer.cli.export_contents import contents_at_state, original_of
from explorer.cli.options import Request, json_option, requests
from explorer.cli.output import check_writable, progress, table, warn, write_json
from explorer.cli.subject import Subject, open_subject, stage_json
from explorer.confined.running import described, in_force
from explorer.core.errors import BadInput
from explorer.data import Batches
from explorer.evaluation.evaluate import evaluate
from explorer.export import formats, proof
from explorer.export.confirming import confirm
from explorer.export.contents import ExportContents
from explorer.export.folders import export as write_export
from explorer.export.proof import Verdict
from explorer.export.verify import holding_code
from explorer.export.verify import verify as verify_files
from explorer.networks.load import ORIGINAL
from explorer.runs.stages import Stage
from explorer.runs.store import FILE

RUN = click.argument("network", metavar="RUN")
DESCRIPTIONS = "\n\n".join(f"{f.name}: {f.description}." for f in formats.FORMATS.values())


@click.command(epilog=f"Formats:\n\n{DESCRIPTIONS}")
@requests(RUN)
@click.option(
    "--format",
    "names",
    default="safetensors",
    show_default=True,
    metavar=f"{','.join(formats.FORMATS)}|{formats.ALL}",
    help="Formats to write, separated by commas.",
)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", required=True, help="Folder for the files.")
@click.option(
    "--state", type=click.IntRange(min=0), help="State of the run's timeline to export.  [default: where it ended]"
)
@click.option("--original", is_flag=True, help=f"Write the network before pruning too, into DIR/{ORIGINAL}.")
def export(request: Request, names: str, out: Path, state: int | None, original: bool) -> None:
    """Write a run's network to files that load without its class, with a proof.

    RUN may also be any other network. DIR gets one file for each format, manifest.json, and the logits of the first
    validation images, with which `verify` compares; without images, those of random inputs, always the same ones.
    Files of the same names are replaced.
    """
    chosen = [each.name for each in formats.formats_for(_names(names))]
    check_writable(out, "--out", folder=True)
    if (out / FILE).exists():
        raise BadInput(f"--out {out} is the folder of a run: give another, for the export alone.")
    subject = open_subject(request, needs_images=False, written=True)
    asked = {out: contents_at_state(subject, state), **({out / ORIGINAL: original_of(subject)} if original else {})}
    batches = [subject.batches("validation", proof.IMAGES)] if subject.images else []
    for each in asked.values():
        _confirm(subject, each)
    with progress("Exporting") as report:
        written = [
            (kind, path)
            for folder, each in asked.items()
            for kind, path in write_export(each, folder, chosen, _proof(each, *batches), report).items()
        ]
    stage = subject.stage_at(state)
    rows = [[kind, str(path), path.stat().st_size / 1e6] for kind, path in written]
    table(f"{subject.network.name}, exported", ("What", "File", "MB"), rows, [_measured_on(subject, stage, *batches)])
    files = [{"format": kind, "path": str(path)} for kind, path in written]
    settings = {"formats": chosen, "out": str(out), "state": state, "original": original, **stage_json(stage)}
    write_json(request.json, subject.result({"files": files}, *batches, **settings))


def _names(names: str) -> list[str]:
    return list(dict.fromkeys(name.strip() for name in names.split(",")))


def _confirm(subject: Subject, contents: ExportContents) -> None:
    """Measure the network of a run's state again, on the images of the run.

    Raises BadInput if it says something else.
    """
    if not contents.history or subject.run is None or subject.images is None:
        return
    recorded, digest = contents.history[-1].metrics, subject.run.data.get("digest")
    if not recorded.images:
        warn("No loss or accuracy was measured in this run, and none is added by the images given now.")
        return
    if digest not in (None, subject.images.digest) or (digest is None and subject.request.data):
        warn(
            "These are not the run's own images, so it is not checked that the network still measures what "
            "the run recorded."
        )
        return
    with progress("Measuring again") as report:
        outcome = evaluate(contents.network, subject.batches("validation", recorded.images), report=report)
    confirm(outcome, recorded, f"{subject.request.network}, state {contents.manifest.provenance['state']['number']},")


def _measured_on(subject: Subject, stage: Stage, batches: Batches | None = None) -> str:
    if batches is not None:
        return subject.measured_on(batches, stage)
    prepared = subject.network.preprocessing.describe()
    return f"No images: `verify` compares on {proof.RANDOM.format(proof.IMAGES)}, {stage}. Preprocessing: {prepared}."


def _proof(contents: ExportContents, batches: Batches | None = None) -> proof.Proof:
    if batches is None:
        return proof.prove(contents.network, proof.random_inputs(contents.network), None)
    inputs, labels = (torch.cat(part) for part in zip(*batches, strict=True))
    return proof.prove(contents.network, inputs, labels)


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--trust", is_flag=True, help="Run files that hold code too.  [default: ask in a terminal, else leave them]"
)
@json_option
def verify(folder: Path, trust: bool, json: Path | None) -> None:
    """Load exported files in a clean process and compare their outputs.

    A file is ok if no logit differs from the proof by more than a share of the largest, and all predictions agree.
    The exit code is 1 if a file is not.

    Loading model.py or .pt2 runs what its maker wrote: without --trust these are not run, and if all others are ok the
    exit code is 2. Each file runs without network, other processes and files, with limits of time and memory, as far as
    the system offers that; a line says what was in force.
    """
    started = time.perf_counter()
    if json is not None:
        check_writable(json, "--json")
    if not folder.exists():
        raise BadInput(f"There is no export at {folder}: give the folder that export --out wrote.")
    if (folder / FILE).exists():
        raise BadInput(f"{folder} is a run folder: export the run, and verify what that writes.")
    expected = proof.read((folder if folder.is_dir() else folder.parent) / proof.NAME)
    trusted = trust or _asked(holding_code(folder))
    with progress("Verifying") as report:
        verdicts = verify_files(folder, report, trusted=trusted)
    _show(folder, verdicts, expected)
    write_json(
        json,
        {
            "network": {"name": str(folder)},
            "data": {"name": proof.NAME, "images": expected.images, "accuracy": expected.accuracy},
            "settings": {
                "device": "cpu",
                "tolerance": {verdict.format: verdict.tolerance for verdict in verdicts},
                "confined": in_force(),
            },
            "seconds": time.perf_counter() - started,
            "files": [{**vars(verdict), "path": str(verdict.path)} for verdict in verdicts],
        },
    )
    if any(verdict.ok is False for verdict in verdicts):
        sys.exit(1)
    if waiting := [verdict.path.name for verdict in verdicts if verdict.ok is None]:
        raise BadInput(
            f"Not run, because loading them runs code of whoever made them: {_listed(waiting)}; give --trust to run it."
        )


def _asked(files: Sequence[Path]) -> bool:
    """Whether a person at a terminal lets files that hold code run."""
    if not files or not sys.stdin.isatty():
        return False
    names = _listed([path.name for path in files])
    return click.confirm(f"Loading {names} runs code of whoever made the files. Run it, confined?", err=True)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(dict.fromkeys(names))


def _own_accuracy(expected: proof.Proof) -> str:
    own = expected.accuracy
    return "" if own is None else f", where the network itself has an accuracy of {own:.1%}"


def _show(folder: Path, verdicts: Sequence[Verdict], expected: proof.Proof) -> None:
    rows = [
        [
            str(v.path.relative_to(folder)) if folder.is_dir() else v.path.name,
            v.format,
            "not run" if v.ok is None else "yes" if v.ok else "NO",
            v.max_abs_difference,
            v.max_relative_difference,
            v.tolerance,
            *("-" if share is None else f"{share:.1%}" for share in (v.agreement, v.accuracy)),
            v.seconds,
        ]
        for v in verdicts
    ]
    columns = (
        *("File", "Format", "Ok", "Largest difference", "of the largest logit", "Allowed", "Same prediction"),
        *("Accuracy", "Seconds"),
    )
    notes = [
        f"Compared on the {expected.compared_on} of {proof.NAME}, on cpu{_own_accuracy(expected)}.",
        "Seconds: start of the process, loading and running.",
        described(),
        *(f"{v.path.name} failed: {v.error or 'it computes something else'}." for v in verdicts if v.ok is False),
    ]
    table(f"Exports in {folder}", columns, rows, notes)
