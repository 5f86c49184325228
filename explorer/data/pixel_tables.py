"""Pixel tables: a .csv file that holds the images themselves, a row an image, as competitions give them out."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from explorer.core.errors import BadInput
from explorer.core.text import quoted
from explorer.data.images import Account, ImageSet, Labelled, image_set
from explorer.data.labels import UNLABELLED, meaning_none, numbering
from explorer.data.splits import stored_splits
from explorer.data.table_columns import labels_and_splits
from explorer.data.table_lines import table_lines

PIXEL = re.compile(r"(?:pixel|pix|px)[ _]?\d+|\d+x\d+", re.IGNORECASE)
TOGETHER = ("pixels", "pixel")  # names of one column that holds all pixels of an image, with spaces between
FEWEST = 16  # pixels of an image


@dataclass(frozen=True)
class PixelColumns:
    """Where a table has pixels, labels and splits."""

    where: dict[str, int]  # "label", "split" -> column
    pixels: list[int]  # columns, in their order; one that holds all of them
    width: int  # columns of a row
    notes: list[str]


@dataclass(frozen=True)
class PixelRow:
    """One image of the table."""

    line: int  # of the file, from 1
    label: str
    split: str
    pixels: np.ndarray  # (P,) uint8


def holds_pixels(table: Path) -> bool:
    """Whether the header of a .csv file says that its rows are images."""
    with table_lines(table) as (lines, _):
        header = next(lines, (0, []))[1]
        return bool(_pixels(header, next(lines, (0, []))[1]))


def open_pixel_table(table: Path, *, seed: int, limit: int | None) -> ImageSet:
    """The images of a table with a label and pixels a row: whole numbers from 0 to 255, row by row of the image.

    Pixels stand in columns such as pixel0, pixel1, .. or 1x1, 1x2, .., or all in one called pixels. S * S of them are a
    grey image, 3 * S * S one of colours, which stand together for each pixel; that is noted. Labels: see `numbering`; a
    column for the split is optional, and gives stored splits. Raises BadInput for a row that can't be right.
    """
    with table_lines(table) as (lines, notes):
        header, second = next(lines)[1], next(lines, None)
        if second is None:
            raise BadInput(f"{table} has a header but no rows: it needs one an image, with its label and its pixels.")
        found = _columns(table, header, second[1])
        rows = [_row(table, found, *line) for line in chain([second], lines)]
    subject = f"{table}, column {quoted(header[found.where['label']], 40)},"
    none = meaning_none(subject, {row.label for row in rows})
    left_out = {f"{table}, line {row.line}": UNLABELLED[row.label] for row in rows if row.label in none}
    rows = [row for row in rows if row.label not in none]
    images = _shaped(table, np.stack(_alike(table, [row.pixels for row in rows])))
    classes = numbering(subject, {row.label for row in rows})
    read = f"Each row holds the pixels of an image: {' x '.join(map(str, images.shape[1:]))}."
    labelled = Labelled(
        images,
        np.array([classes.numbers[row.label] for row in rows]),
        classes.classes,
        stored_splits([row.split for row in rows]),
    )
    account = Account(left_out, [note for note in (*notes, read, *found.notes, classes.note) if note])
    return image_set(table.stem, labelled, seed=seed, limit=limit, account=account)


def _pixels(header: list[str], row: list[str]) -> list[int]:
    """The columns that hold pixels; none where the table is of another kind."""
    columns = [at for at, name in enumerate(header) if PIXEL.fullmatch(name)]
    if len(columns) >= FEWEST:
        return columns
    together = [at for at, name in enumerate(header) if name.lower() in TOGETHER]
    return [at for at in together if len("".join(row[at : at + 1]).split()) >= FEWEST][:1]


def _columns(table: Path, header: list[str], row: list[str]) -> PixelColumns:
    pixels = _pixels(header, row)
    numbers = [tuple(map(int, re.findall(r"\d+", header[at]))) for at in pixels]
    if numbers != sorted(set(numbers)):
        raise BadInput(f"{table} has its columns of pixels out of order, or twice: order them as in the image.")
    where, notes = labels_and_splits(table, header, row, set(pixels))
    return PixelColumns(where, pixels, len(header), notes)


def _row(table: Path, found: PixelColumns, line: int, cells: list[str]) -> PixelRow:
    if len(cells) != found.width:
        raise BadInput(f"{table}, line {line}, has {len(cells):,} values, its header {found.width:,}.")
    label, split = (cells[found.where[kind]] if kind in found.where else "" for kind in ("label", "split"))
    if not label.isprintable():
        raise BadInput(f"{table}, line {line}, has the label {quoted(label, 40)}: it must be printable.")
    values = cells[found.pixels[0]].split() if len(found.pixels) == 1 else [cells[at] for at in found.pixels]
    try:
        return PixelRow(line, label, split.lower(), np.array([int(value) for value in values], np.uint8))
    except (ValueError, OverflowError) as error:
        odd = next(value for value in values if not (value.isdecimal() and int(value) < 256))
        raise BadInput(
            f"{table}, line {line}, has {quoted(odd, 40)} among its pixels: they must be whole numbers from 0 to 255."
        ) from error


def _alike(table: Path, images: list[np.ndarray]) -> list[np.ndarray]:
    sizes = sorted({image.size for image in images})
    if len(sizes) > 1:
        raise BadInput(f"{table} has images of {sizes[0]:,} and of {sizes[-1]:,} pixels: all must be alike.")
    return images


def _shaped(table: Path, flat: np.ndarray) -> np.ndarray:
    """(N, S, S) or (N, S, S, 3) of (N, P)."""
    for channels in (1, 3):
        side = math.isqrt(flat.shape[1] // channels)
        if channels * side**2 == flat.shape[1]:
            return flat.reshape(len(flat), side, side, *([3] if channels == 3 else []))
    raise BadInput(f"{table} has {flat.shape[1]:,} pixels an image: grey or of three colours, they must fill a square.")
