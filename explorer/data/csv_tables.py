"""Tables: a .csv file with the path and the class of every image."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from explorer.core.errors import BadInput
from explorer.core.text import quoted
from explorer.data.decoding import examine
from explorer.data.images import Account, ImageSet, Labelled, image_set
from explorer.data.labels import UNLABELLED, Numbering, meaning_none, numbering
from explorer.data.splits import stored_splits
from explorer.data.table_columns import HOT, Columns, columns
from explorer.data.table_files import TableFiles
from explorer.data.table_lines import table_lines


@dataclass(frozen=True, slots=True)
class ImageRow:
    """One image of the table."""

    line: int  # of the file, from 1
    path: str
    label: str
    split: str


def open_table(table: Path, *, seed: int, limit: int | None) -> ImageSet:
    """The images that a .csv file names, with their classes, separated by commas, semicolons or tabs.

    Columns: see `columns`; one for the split is optional, and gives stored splits. Paths: see `TableFiles.located`;
    labels: see `numbering`, one-hot ones are in the order of the columns. A file that can't be read is listed in
    `skipped` with the reason, and its class stays; so is one without a label, see `meaning_none`. Raises BadInput for a
    row that can't be right.
    """
    files = TableFiles(table)
    found, rows, notes = _read(files)
    if not rows:
        raise BadInput(f"{table} has a header but names no images.")
    files.forget()  # a row was tried before it was known which column holds the paths
    paths = [files.located(row.line, row.path) for row in rows]
    _check_unique(table, rows, paths)
    subject = f"{table}, {found.names['label']},"
    none = set() if found.one_hot else meaning_none(subject, {row.label for row in rows})
    classes = _classes(subject, found, {row.label for row in rows} - none)
    bad, remarks = examine(paths)
    bad |= {path: UNLABELLED[row.label] for path, row in zip(paths, rows, strict=True) if row.label in none}
    kept = [i for i, path in enumerate(paths) if path not in bad]
    if not kept:
        reason = f"{paths[0]} is the first: {bad[paths[0]]}"
        raise BadInput(f"{table} names {len(rows):,} images, and none of them can be read: {reason}.")
    labels = np.array([classes.numbers[rows[i].label] for i in kept])
    labelled = Labelled([paths[i] for i in kept], labels, classes.classes, stored_splits([rows[i].split for i in kept]))
    left_out = {str(path): bad[path] for path in paths if path in bad}
    account = Account(left_out, [note for note in (*notes, *found.notes, files.note(), classes.note, *remarks) if note])
    return image_set(table.stem, labelled, seed=seed, limit=limit, account=account)


def _classes(subject: str, found: Columns, labels: set[str]) -> Numbering:
    if found.one_hot:
        return Numbering(tuple(found.one_hot), {name: number for number, name in enumerate(found.one_hot)})
    return numbering(subject, labels)


def _read(files: TableFiles) -> tuple[Columns, list[ImageRow], list[str]]:
    """The columns, the rows, and notes on how they were read."""
    table = files.table
    with table_lines(table) as (lines, notes):
        first = next(lines, None)
        if first is None:
            raise BadInput(f"{table} is empty: it needs a row an image, with its path and its label.")
        second = next(lines, None)
        found = columns(files, first[1], second[1] if second else [])
        given = [first, *([second] if second else [])][found.header :]
        rows = [_row(table, found, *numbered) for numbered in given] + [_row(table, found, *each) for each in lines]
    return found, rows, notes


def _row(table: Path, found: Columns, line: int, cells: list[str]) -> ImageRow:
    if not found.header and len(cells) != found.width:
        raise BadInput(f"{table}, line {line}, has {len(cells)} values: a row without a header is path, label.")
    given = {kind: cells[column] if column < len(cells) else "" for kind, column in found.where.items()}
    if found.one_hot:
        given["label"] = _hot(table, found.one_hot, line, cells)
    for kind, value in given.items():
        if not value.isprintable() or not (value or kind == "label"):
            raise BadInput(
                f"{table}, line {line}, has the {kind} {quoted(value, 40)}: it must be printable and not blank."
            )
    return ImageRow(line, given["path"], given["label"], given.get("split", "").lower())


def _hot(table: Path, one_hot: dict[str, int], line: int, cells: list[str]) -> str:
    """The class whose column is 1; raises BadInput unless all others are 0."""
    values = {name: "".join(cells[column : column + 1]) for name, column in one_hot.items()}
    hot = [name for name, value in values.items() if HOT.get(value) == 1]
    if len(hot) != 1 or set(values.values()) - set(HOT):
        shown = quoted(",".join(values.values()), 40)
        raise BadInput(f"{table}, line {line}, has {shown} in its columns of classes: one must be 1, all others 0.")
    return hot[0]


def _check_unique(table: Path, rows: list[ImageRow], paths: list[Path]) -> None:
    """An image that came twice could be in two splits."""
    lines: dict[Path, int] = {}
    for row, path in zip(rows, map(Path, map(os.path.normpath, paths)), strict=True):
        if lines.setdefault(path, row.line) != row.line:
            raise BadInput(f"{table}, line {row.line}, names {row.path} again: it is already in line {lines[path]}.")
