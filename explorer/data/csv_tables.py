"""Tables: a .csv file with the path and the class of every image."""

from __future__ import annotations

import csv
import io
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from explorer.data.decoding import SUFFIXES, unreadable
from explorer.data.images import MAX_CLASSES, ImageSet, image_set
from explorer.errors import BadInput

MAX_BYTES = 256 * 1024**2  # of the table itself
SEPARATORS = ",;\t"
COLUMNS = {
    "path": ("path", "file", "filename", "file_name", "filepath", "image", "image_path", "img"),
    "label": ("label", "class", "class_name", "category", "target", "y"),
    "split": ("split", "part", "subset"),
}
"""What a row holds, and the names that its column may have."""

PLAIN = {"path": 0, "label": 1}  # the columns of a table without a header


@dataclass(frozen=True)
class Row:
    """One image of the table."""

    line: int  # of the file, from 1
    path: str
    label: str
    split: str


def open_table(table: Path, *, seed: int, limit: int | None) -> ImageSet:
    """The images that a .csv file names, with their classes, separated by commas, semicolons or tabs.

    With a header its columns are found by name (see COLUMNS; a column for the split is optional, and gives stored
    splits); without one, a row is path, label. Paths are relative to the table. Labels that are all whole numbers
    number the classes from 0; others are their names, in alphabetical order. A row that can't be right is BadInput;
    a file that can't be read is skipped and named in `skipped`, and its class stays.
    """
    rows = _rows(table)
    if not rows:
        raise BadInput(f"{table} has a header but names no images.")
    paths = [table.parent / row.path for row in rows]
    _check_unique(table, rows, paths)
    classes, numbers = _numbered(table, {row.label for row in rows})
    bad = unreadable(paths)
    kept = [i for i, path in enumerate(paths) if path not in bad]
    if not kept:
        raise BadInput(f"{table} names {len(rows)} images, and none of them can be read: {paths[0]} is the first.")
    labels = np.array([numbers[rows[i].label] for i in kept])
    splits = [rows[i].split for i in kept]
    stored = {name: np.array([s == name for s in splits]).nonzero()[0] for name in dict.fromkeys(splits)}
    return image_set(
        table.stem,
        [paths[i] for i in kept],
        labels,
        classes,
        seed=seed,
        limit=limit,
        stored=stored if any(splits) else None,
        skipped={str(path): bad[path] for path in paths if path in bad},
    )


def _rows(table: Path) -> list[Row]:
    if table.stat().st_size > MAX_BYTES:
        raise BadInput(f"{table} has over {MAX_BYTES // 1024**2} MiB: that is no table of images and labels.")
    try:
        text = table.read_text(encoding="utf-8-sig")
        separator = max(SEPARATORS, key=text.partition("\n")[0].count)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        found = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader if any(cells)]
    except UnicodeDecodeError as error:
        raise BadInput(f"{table} is no table: it is not UTF-8 text.") from error
    except csv.Error as error:
        raise BadInput(f"{table} can't be read as a table: {error}.") from error
    except OSError as error:
        raise BadInput(f"{table} can't be read: {error.strerror}.") from error
    if not found:
        raise BadInput(f"{table} is empty: it needs a row an image, with its path and its label.")
    where = _columns(table, found[0][1])
    return [_row(table, line, cells, where) for line, cells in found[0 if where is PLAIN else 1 :]]


def _columns(table: Path, first: list[str]) -> dict[str, int]:
    """Kind -> column. A first row whose path looks like a file of images is no header."""
    names = [cell.lower() for cell in first]
    where = {kind: names.index(name) for kind, known in COLUMNS.items() for name in known[::-1] if name in names}
    if {"path", "label"} <= set(where):
        return where
    if any(Path(name).suffix in SUFFIXES for name in names[:1]):
        return PLAIN
    raise BadInput(f"{table} begins with {','.join(first)[:80]!r}: give a header with path and label, or rows of both.")


def _row(table: Path, line: int, cells: list[str], where: dict[str, int]) -> Row:
    if where is PLAIN and len(cells) != len(PLAIN):
        raise BadInput(f"{table}, line {line}, has {len(cells)} values: a row without a header is path, label.")
    given = {kind: cells[column] if column < len(cells) else "" for kind, column in where.items()}
    for kind, value in given.items():
        if not value or not value.isprintable():
            raise BadInput(f"{table}, line {line}, has the {kind} {value[:40]!r}: it must be printable and not blank.")
    return Row(line, given["path"], given["label"], given.get("split", "").lower())


def _check_unique(table: Path, rows: list[Row], paths: list[Path]) -> None:
    """An image that came twice could be in two splits."""
    lines: dict[Path, int] = {}
    for row, path in zip(rows, map(Path, map(os.path.normpath, paths)), strict=True):
        if lines.setdefault(path, row.line) != row.line:
            raise BadInput(f"{table}, line {row.line}, names {row.path} again: it is already in line {lines[path]}.")


def _numbered(table: Path, labels: set[str]) -> tuple[list[str], dict[str, int]]:
    """The classes, and label -> number of its class."""
    if all(label.isascii() and label.isdecimal() and len(label) < 10 for label in labels):
        numbers = {label: int(label) for label in labels}
        count = max(numbers.values()) + 1
    else:
        numbers = {label: number for number, label in enumerate(sorted(labels))}
        count = len(numbers)
    if count > MAX_CLASSES:
        raise BadInput(f"{table} has {count} classes, but at most {MAX_CLASSES} are read; numbers count from 0.")
    named = {number: label for label, number in numbers.items()}
    return ([named[i] for i in range(count)] if len(named) == count else [str(i) for i in range(count)]), numbers
