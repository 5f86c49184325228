"""Tables in folders: the .csv file of a folder that says what its images are, as competitions give data out."""

from __future__ import annotations

import os
from pathlib import Path

from explorer.core.errors import BadInput
from explorer.core.text import counted
from explorer.data.images import ImageSet, first_names
from explorer.data.inventory import take_inventory
from explorer.data.pixel_tables import holds_pixels
from explorer.data.splits import TRAIN, split_named
from explorer.data.table_columns import columns
from explorer.data.table_files import TableFiles
from explorer.data.table_lines import table_lines


def labelling_table(folder: Path) -> Path | None:
    """The table right in a folder that labels most of its images, otherwise than by their folders; None without one.

    Of several that name images the one called like training is meant, which others are samples for. Raises BadInput if
    this does not tell.
    """
    found = [table for table in tables_in(folder) if _labels_images(table)]
    if not found:
        return None
    meant = found if len(found) == 1 else [table for table in found if split_named(table.stem) == TRAIN]
    images = len(take_inventory(folder).images)
    if len(meant) == 1:
        return meant[0] if 2 * _rows(meant[0]) > images else None
    names = ", ".join(table.name for table in found)
    raise BadInput(f"folder {folder} has several tables of images, {names}: leave one, or name it.")


def tables_in(folder: Path) -> list[Path]:
    """The .csv files right in a folder."""
    return sorted(path for path in folder.glob("*.[cC][sS][vV]") if path.name[:1] != "." and path.is_file())


def notes_on(table: Path, folder: Path, images: ImageSet) -> list[str]:
    """Sentences on which of a folder's tables its images are from, and on what else is there."""
    others = [other.name for other in tables_in(folder) if other != table]
    beside = f"; not looked at: {first_names(others)}" if others else ""
    said = [f"Images and labels are those of the table {table.name}{beside}."]
    named = {os.path.normpath(path) for path in (*images.source, *images.skipped) if isinstance(path, Path | str)}
    unnamed = [
        str(path.relative_to(folder)) for path in take_inventory(folder).images if os.path.normpath(path) not in named
    ]
    if unnamed:
        said.append(f"{counted(len(unnamed), 'image')} not named in it: {first_names(unnamed)}.")
    return said


def _labels_images(table: Path) -> bool:
    """Whether the first row after a header names an image that is there, in no folder that is called like its label."""
    try:
        if holds_pixels(table):
            return True
        with table_lines(table) as (lines, _):
            first, second = (next(lines, (0, []))[1] for _ in range(2))
        files = TableFiles(table)
        found = columns(files, first, second)
        row = second if found.header else first
        path = files.located(1, row[found.where["path"]])
        label = "" if found.one_hot else row[found.where["label"]]
        return path.is_file() and label not in path.relative_to(table.parent).parts
    except (BadInput, IndexError, OSError, ValueError):  # one of another kind
        return False


def _rows(table: Path) -> int:
    with table_lines(table) as (lines, _):
        return sum(1 for _ in lines)
