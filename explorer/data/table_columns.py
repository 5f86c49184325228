"""Columns: which of a table's hold paths, labels and splits, by their names or by what is in them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from explorer.core.errors import BadInput
from explorer.core.text import quoted
from explorer.data.decoding import SUFFIXES

COLUMNS = {
    "path": (
        "path",
        "file",
        "filename",
        "file_name",
        "filepath",
        "image",
        "image_path",
        "image_name",
        "img",
        "img_path",
        "image_id",
        "id_code",
    ),
    "label": ("label", "labels", "class", "class_name", "category", "target", "y", "diagnosis", "species", "breed"),
    "split": ("split", "part", "subset"),
}
"""What a row holds, and the names that its column may have; the first of them that is there counts."""


@dataclass(frozen=True)
class Columns:
    """Where a table's paths, labels and splits are."""

    where: dict[str, int]  # kind -> column
    names: dict[str, str]  # kind -> what a message calls its column
    header: bool
    width: int  # columns of the first row
    note: str = ""  # for people, where this is not plain


def columns(table: Path, first: list[str], second: list[str]) -> Columns:
    """The columns by the names in the first row, or, where it is no header, by which of its two cells is a path.

    Of several known names for one thing the first in COLUMNS counts, which is noted. Paths under a name that is unknown
    are those of which the second row's is there; labels under an unknown name are those in the only column left, which
    is noted. BadInput where this does not tell.
    """
    cells = [cell.lower() for cell in first]
    known = {kind: [name for name in usual if name in cells] for kind, usual in COLUMNS.items()}
    where = {kind: cells.index(found[0]) for kind, found in known.items() if found}
    paths = _paths(table, first)
    if paths and not {"path", "label"} <= set(where):
        return _plain(table, first, paths)
    there = _paths(table, second)
    if "path" not in where and len(there) == 1 and there[0] < len(first) and there[0] not in where.values():
        where["path"] = there[0]
    if "path" not in where:
        raise BadInput(f"{_beginning(table, first)}: give a header with path and label, or rows of both.")
    notes = [_chosen(table, first, found) for found in known.values() if found]
    if "label" not in where:
        left = [column for column, name in enumerate(cells) if name and column not in where.values()]
        if len(left) != 1:
            raise BadInput(
                f"{_beginning(table, first)}: which of its columns holds the labels is unclear; call it label, "
                "one value an image."
            )
        where["label"] = left[0]
        notes.append(f"Labels are those of the column {first[left[0]]!r}.")
    names = {kind: f"column {quoted(first[at], 40)}" for kind, at in where.items()}
    return Columns(where, names, True, len(first), " ".join(filter(None, notes)))


def _chosen(table: Path, first: list[str], found: list[str]) -> str:
    """Which of several columns for one thing is read, or ""; BadInput where two have the same name."""
    if [cell.lower() for cell in first].count(found[0]) > 1:
        raise BadInput(f"{_beginning(table, first)}: several columns are called {found[0]}; rename all but one.")
    return f"Of the columns {', '.join(found)} the first is read." if len(found) > 1 else ""


def located(table: Path, line: int, name: str) -> Path:
    """The file that a row names, which may be absent; BadInput where several have the name that it gives."""
    path = table.parent / name
    if path.exists():
        return path
    path = table.parent / (PureWindowsPath(name).as_posix() if "\\" in name else name)
    if path.suffix.lower() in SUFFIXES or path.exists():
        return path
    ends = sorted({end for suffix in SUFFIXES for end in (suffix, suffix.upper())})
    found = [whole for end in ends if (whole := path.with_name(path.name + end)).exists()] if path.name else []
    if len(found) > 1:
        raise BadInput(f"{table}, line {line}, names {name}: both {found[0].name} and {found[1].name} are there.")
    return found[0] if found else path


def _paths(table: Path, cells: list[str]) -> list[int]:
    """The columns whose cells end like images, or else those that are files but for a suffix, as 7 may be 7.png."""
    named = [column for column, cell in enumerate(cells) if PureWindowsPath(cell).suffix.lower() in SUFFIXES]
    return named or [column for column, cell in enumerate(cells) if cell and _is_there(table, cell)]


def _is_there(table: Path, cell: str) -> bool:
    try:
        return located(table, 1, cell).is_file()
    except (OSError, ValueError):  # no name that a file can have
        return False


def _plain(table: Path, first: list[str], paths: list[int]) -> Columns:
    if len(paths) > 1:
        raise BadInput(f"{_beginning(table, first)}: the columns {paths[0] + 1} and {paths[1] + 1} both hold paths.")
    where = {"path": paths[0], "label": 1 - paths[0] if paths[0] < 2 else 0}
    return Columns(where, {"path": "the paths", "label": "the labels"}, False, 2)


def _beginning(table: Path, first: list[str]) -> str:
    return f"{table} begins with {quoted(','.join(first), 80)}"
