"""The command that looks whether kept files are as they were written."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import click

from explorer.cli.options import json_option
from explorer.cli.output import check_writable, table, write_json
from explorer.core.errors import BadInput
from explorer.core.text import counted
from explorer.upkeep.audit import BAD, UNCHECKED, UNKNOWN, Checked, audit


@click.command()
@click.argument("folder", metavar="WORKDIR", type=click.Path(path_type=Path))
@json_option
def check(folder: Path, json: Path | None) -> None:
    """Check every kept file against its SHA-256.

    WORKDIR is the app's work folder, or the folder of one run, race, study or fine-tuning. Nothing is changed. The exit
    code is 2 if a file is damaged or missing. Files of older versions have no SHA-256: they are listed as unchecked.
    """
    started = time.perf_counter()
    if json is not None:
        check_writable(json, "--json")
    found = audit(folder)
    counts = Counter(each.standing for each in found)
    _show(folder, found, counts)
    write_json(
        json,
        {
            "folder": str(folder),
            "settings": {},
            "seconds": time.perf_counter() - started,
            "counts": dict(counts),
            "files": [{**asdict(each), "path": str(each.path.relative_to(folder))} for each in found],
        },
    )
    if bad := sum(counts[standing] for standing in BAD):
        raise BadInput(f"{folder} holds {counted(bad, 'damaged or missing file')}: see the table.")


def _show(folder: Path, found: list[Checked], counts: Counter[str]) -> None:
    rows = [[str(each.path.relative_to(folder)), each.what or "-", each.standing, each.why] for each in found]
    told = ", ".join(f"{number:,} {standing}" for standing, number in sorted(counts.items()))
    notes = [
        f"{counted(len(found), 'file')}: {told}.",
        f"{UNCHECKED.capitalize()}: nothing says what its SHA-256 must be; {UNKNOWN}: no document names "
        "the file, and nothing reads it.",
    ]
    table(f"Files in {folder}", ("File", "What", "State", "Why"), rows, notes)
