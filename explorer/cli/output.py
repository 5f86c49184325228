"""Output: tables and progress for people, JSON for scripts."""

from __future__ import annotations

import json
import math
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from explorer.core.errors import BadInput
from explorer.core.files import write_whole
from explorer.core.progress import Report, silent
from explorer.core.text import one_line

WIDE = 160  # columns of a file or a pipe, which have no width of their own


@contextmanager
def progress(what: str) -> Iterator[Report]:
    """A report that moves a bar on stderr, where stderr is a terminal."""
    if not sys.stderr.isatty():
        yield silent
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[note]}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(escape(one_line(what)), total=None, note="")

        def report(done: int, total: int, note: str = "") -> None:
            bar.update(task, completed=done, total=total, note=escape(one_line(note)))

        yield report


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], notes: Sequence[str]) -> None:
    """Print a table, first column left, the others right where they hold numbers, and what it was measured on."""
    console = Console(width=None if sys.stdout.isatty() else WIDE, highlight=False)
    shown = Table(title=escape(one_line(title)), title_justify="left")
    rows = list(rows)
    for place, column in enumerate(columns):
        texts = any(isinstance(row[place], str) for row in rows)
        shown.add_column(column, justify="left" if texts else "right", overflow="fold")
    for row in rows:
        shown.add_row(*(escape(text(value)) for value in row))
    console.print(shown)
    for note in notes:
        console.print(escape(one_line(note)))


def text(value: object) -> str:
    """One cell: numbers as people read them, nothing as "-"."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else one_line(value)


def warn(message: str) -> None:
    """A remark, as one line on stderr."""
    tell(f"Note: {message}")


def tell(message: str) -> None:
    """One line on stderr: nothing in it reaches the terminal as an order."""
    click.echo(one_line(message), err=True)


def write_json(path: Path | None, content: Mapping[str, Any]) -> None:
    """Write one object, whole or not at all, numbers that are not finite as null; nothing where `path` is None."""
    if path is not None:
        write_whole(path, f"{json.dumps(finite(content), indent=1, allow_nan=False)}\n".encode())


def finite(value: Any) -> Any:
    """The value with null for every number that JSON has no word for."""
    if isinstance(value, Mapping):
        return {key: finite(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def check_writable(path: Path, option: str, *, folder: bool = False) -> None:
    """Raise BadInput, before any long work, unless the file or the folder can be written."""
    if path.is_dir() != folder and path.exists():
        raise BadInput(
            f"{option} {path} is a {'file' if folder else 'folder'}: it must be a {'folder' if folder else 'file'}."
        )
    place = path if folder else path.parent
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        raise BadInput(f"{option} {path} can't be written ({error.strerror or error}): give another place.") from error
