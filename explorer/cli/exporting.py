"""Commands that write a network to files, and prove that these compute the same."""

from __future__ import annotations

import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import torch

from explorer.cli.options import Request, json_option, requests
from explorer.cli.output import check_writable, progress, table, write_json
from explorer.cli.subject import Subject, manifest_of, open_subject, original_widths
from explorer.errors import BadInput
from explorer.export import formats, proof
from explorer.export.verify import TOLERANCE, Verdict
from explorer.export.verify import verify as verify_files
from explorer.runs import FILE

RUN = click.argument("network", metavar="RUN")
DESCRIPTIONS = "\n\n".join(f"{f.name}: {f.description}." for f in formats.FORMATS.values())


@click.command(epilog=f"Formats:\n\n{DESCRIPTIONS}")
@requests(RUN)
@click.option(
    "--format",
    "names",
    default="safetensors",
    show_default=True,
    metavar=",".join(formats.FORMATS),
    help="One or more.",
)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", required=True, help="Folder for the files.")
def export(request: Request, names: str, out: Path) -> None:
    """Write a run's network to files that load without its class, with a proof.

    RUN may also be any other network. DIR gets a file a format, manifest.json, and the logits of the first
    validation images, with which `verify` compares. Files of the same names are replaced.
    """
    chosen = _chosen(names)
    check_writable(out, "--out", folder=True)
    if (out / FILE).exists():
        raise BadInput(f"--out {out} is a run folder: exports go to a folder of their own.")
    subject = open_subject(request)
    batches = subject.batches("validation", proof.IMAGES)
    with progress("Exporting"):
        proven = proof.prove(subject.network, torch.cat([x for x, _ in batches]))
        written = formats.export(subject.network, out, chosen, proof=proven, **_described(subject))
    rows = [[kind, str(path), path.stat().st_size / 1e6] for kind, path in written.items()]
    table(f"{subject.network.name}, exported", ("What", "File", "MB"), rows, [subject.measured_on(batches)])
    files = [{"format": kind, "path": str(path)} for kind, path in written.items()]
    write_json(request.json, subject.result({"files": files}, batches, formats=chosen, out=str(out)))


def _chosen(names: str) -> list[str]:
    """The formats of a list; BadInput for one that is unknown, before any work."""
    chosen = list(dict.fromkeys(name.strip() for name in names.split(",")))
    unknown = [name for name in chosen if name not in formats.FORMATS]
    if unknown:
        raise BadInput(f"Export format {unknown[0][:40]!r} is unknown; the formats are: {', '.join(formats.FORMATS)}.")
    return chosen


def _described(subject: Subject) -> dict[str, Any]:
    """What the files say of the network besides itself: widths, metrics and provenance, as its own file has them."""
    manifest = manifest_of(subject.request.network)
    return {
        "original_widths": original_widths(subject.network, manifest),
        "metrics": manifest.metrics if manifest else {},
        "provenance": manifest.provenance if manifest else {"network": {"name": subject.network.name}},
    }


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@json_option
def verify(folder: Path, json: Path | None) -> None:
    """Load exported files in a clean process and compare their outputs.

    A file is ok where no logit differs from the proof by more than a share of the largest, and all predictions agree.
    Leaves with 1 where a file is not.
    """
    started = time.perf_counter()
    if json is not None:
        check_writable(json, "--json")
    if not folder.exists():
        raise BadInput(f"There is no export at {folder}.")
    place = folder if folder.is_dir() else folder.parent
    expected = proof.read(place / proof.NAME)
    with progress("Verifying"):
        verdicts = verify_files(folder, expected)
    images = len(expected.inputs)
    _show(folder, verdicts, images)
    write_json(json, {
        "network": {"name": str(folder)},
        "data": {"name": proof.NAME, "images": images},
        "settings": {"tolerance": TOLERANCE, "device": "cpu"},
        "seconds": time.perf_counter() - started,
        "files": [_file(verdict) for verdict in verdicts],
    })  # fmt: skip
    sys.exit(0 if all(verdict.ok for verdict in verdicts) else 1)


def _file(verdict: Verdict) -> dict[str, Any]:
    found = asdict(verdict)
    return {
        **{key: found[key] for key in ("format", "ok", "max_abs_difference", "agreement")},
        "path": str(verdict.path),
    }


def _show(folder: Path, verdicts: list[Verdict], images: int) -> None:
    rows = [
        [
            v.path.name,
            v.format,
            v.ok,
            v.max_abs_difference,
            None if v.agreement is None else f"{v.agreement:.1%}",
            v.seconds,
            v.error,
        ]
        for v in verdicts
    ]
    columns = ("File", "Format", "Ok", "Largest difference", "Same prediction", "Seconds", "Problem")
    note = f"Compared on the {images} images of {proof.NAME}, on cpu; tolerated is {TOLERANCE:g} of the largest logit."
    table(f"Exports in {folder}", columns, rows, [note, "Seconds: start of the process, loading and running."])
