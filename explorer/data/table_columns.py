"""Columns: which of a table's hold paths, labels and splits, by their names or by what is in them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from explorer.core.errors import BadInput
from explorer.core.text import quoted
from explorer.data.decoding import SUFFIXES
from explorer.data.images import first_names
from explorer.data.splits import split_named
from explorer.data.table_files import TableFiles

COLUMNS = {
    "path": (
        *("path", "file", "filename", "filepath", "filepaths", "image", "imagepath", "imagename", "imagefile"),
        *("img", "imgpath", "imgname", "imageid", "idcode"),
    ),
    "label": (
        *("label", "labels", "class", "classname", "category", "target", "y", "diagnosis", "species", "breed"),
        *("classid", "labelname", "dx"),
    ),
    "split": ("split", "part", "subset", "usage", "dataset"),
}
"""What a row holds, and the names that its column may have, letters and digits alone; the first there counts."""

HOT = {"0": 0, "1": 1, "0.0": 0, "1.0": 1}
"""How one-hot labels are written."""

UNCLEAR = ("usage", "dataset")
"""Names of columns that hold splits only where the values below are called like some."""

INDEX = {"", "unnamed0", "index"}  # names that pandas gives to row numbers


@dataclass(frozen=True)
class Columns:
    """The columns of a table's paths, labels and splits."""

    where: dict[str, int]  # kind -> column
    names: dict[str, str]  # kind -> what a message calls its column
    header: bool
    width: int  # columns of the first row
    notes: tuple[str, ...] = ()  # for people, where this is not plain
    one_hot: dict[str, int] | None = None  # class -> its column, where there is one a class and none of labels


def columns(files: TableFiles, first: list[str], second: list[str]) -> Columns:
    """The columns by the names in the first row, or, where it is no header, by which of its two cells is a path.

    Of several known names for one thing the first in COLUMNS counts, which is noted. Paths under a name that is unknown
    are those of which the second row's is there; labels under unknown names are those in the only column left, or
    one-hot in all that are left, which is noted. Raises BadInput if this does not tell.
    """
    table, cells = files.table, [_plain_name(cell) for cell in first]
    known = _known(cells, second, COLUMNS)
    where = {kind: cells.index(found[0]) for kind, found in known.items() if found}
    paths = _paths(files, first, beside=not where)
    if paths and not {"path", "label"} <= set(where):
        return _plain(table, first, paths)
    there = [at for at in _paths(files, second, beside=True) if at < len(first) and at not in where.values()]
    if "path" not in where and len(there) == 1:
        where["path"] = there[0]
    if "path" not in where:
        raise BadInput(f"{_beginning(table, first)}: give a header with path and label, or rows of both.")
    notes = [_chosen(table, first, found) for found in known.values() if found]
    if not any(known.values()):
        notes.append(f"The first row, {quoted(','.join(first), 80)}, is read as a header.")
    one_hot = None
    if "label" not in where:
        left = [column for column, name in enumerate(cells) if name not in INDEX and column not in where.values()]
        one_hot = _one_hot(table, first, second, left)
        where["label"] = left[0]
        notes.append(_read_as(first[left[0]], one_hot))
    names = {kind: f"column {quoted(first[at], 40)}" for kind, at in where.items()}
    notes.append(_not_read(first, known, {*where.values(), *(one_hot or {}).values()}))
    return Columns(where, names, True, len(first), tuple(filter(None, notes)), one_hot)


def labels_and_splits(
    table: Path, first: list[str], second: list[str], pixels: set[int]
) -> tuple[dict[str, int], list[str]]:
    """Kind -> column, of labels and of splits where there are, in a table of which others hold the pixels; and notes.

    Labels have a name that is known, or are all that is left. Raises BadInput if this does not tell.
    """
    cells = ["" if at in pixels else _plain_name(cell) for at, cell in enumerate(first)]
    known = _known(cells, second, ("label", "split"))
    where = {kind: cells.index(found[0]) for kind, found in known.items() if found}
    notes = [_chosen(table, first, found) for found in known.values() if found]
    if "label" not in where:
        left = [at for at, name in enumerate(cells) if name not in INDEX and at not in where.values()]
        if len(left) != 1:
            raise BadInput(f"{_beginning(table, first)}: which column holds the labels is unclear; call it label.")
        where["label"] = left[0]
        notes.append(_read_as(first[left[0]], None))
    return where, [*filter(None, notes), *filter(None, [_not_read(first, known, pixels | set(where.values()))])]


def _known(cells: list[str], second: list[str], kinds: Iterable[str]) -> dict[str, list[str]]:
    """Kind -> the names of its columns that are there, in the order of COLUMNS."""
    known = {kind: [name for name in COLUMNS[kind] if name in cells] for kind in kinds}
    known["split"] = [name for name in known["split"] if name not in UNCLEAR or split_named(_cell(second, cells, name))]
    return known


def _plain_name(cell: str) -> str:
    return "".join(filter(str.isalnum, cell.lower()))


def _cell(row: list[str], cells: list[str], name: str) -> str:
    return "".join(row[cells.index(name) :][:1])


def _one_hot(table: Path, first: list[str], second: list[str], left: list[int]) -> dict[str, int] | None:
    """Class -> column of those left, or None if only one is left; raises BadInput if they are not one-hot either."""
    if len(left) == 1:
        return None
    found = {first[column]: column for column in left}
    if len(left) > len(found) or not left or any("".join(second[at : at + 1]) not in HOT for at in left):
        raise BadInput(
            f"{_beginning(table, first)}: which of its columns holds the labels is unclear; call it "
            "label, with one value for each image."
        )
    return found


def _read_as(name: str, one_hot: dict[str, int] | None) -> str:
    if one_hot:
        return f"Labels are one-hot: classes are the columns {first_names(list(one_hot))}."
    return f"Labels are those of the column {name!r}."


def _not_read(first: list[str], known: dict[str, list[str]], read: set[int]) -> str:
    """A sentence on columns that are not read, or ""; alternatives to a chosen column have their own sentence."""
    told = INDEX.union(*known.values())
    left = [quoted(name, 40) for at, name in enumerate(first) if at not in read and _plain_name(name) not in told]
    return f"Not read: the column{'s' if len(left) > 1 else ''} {first_names(left)}." if left else ""


def _chosen(table: Path, first: list[str], found: list[str]) -> str:
    """A sentence on which of several columns for one thing is read, or "".

    Raises BadInput if two have the same name.
    """
    if [_plain_name(cell) for cell in first].count(found[0]) > 1:
        raise BadInput(f"{_beginning(table, first)}: several columns are called {found[0]}; rename all but one.")
    written = [next(cell for cell in first if _plain_name(cell) == name) for name in found]
    return f"Of the columns {', '.join(written)} the first is read." if len(found) > 1 else ""


def _paths(files: TableFiles, cells: list[str], *, beside: bool) -> list[int]:
    """The columns whose cells end like images, or else those that are files but for a suffix, as 7 may be 7.png."""
    named = [column for column, cell in enumerate(cells) if PureWindowsPath(cell).suffix.lower() in SUFFIXES]
    return named or [column for column, cell in enumerate(cells) if cell and files.is_there(cell, beside=beside)]


def _plain(table: Path, first: list[str], paths: list[int]) -> Columns:
    if len(paths) > 1:
        raise BadInput(f"{_beginning(table, first)}: the columns {paths[0] + 1} and {paths[1] + 1} both hold paths.")
    where = {"path": paths[0], "label": 1 - paths[0] if paths[0] < 2 else 0}
    return Columns(where, {"path": "the paths", "label": "the labels"}, False, 2)


def _beginning(table: Path, first: list[str]) -> str:
    return f"{table} begins with {quoted(','.join(first), 80)}"
