"""Table lines: the rows of a .csv file, one at a time, however it is separated and encoded."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from explorer.core.bounds import TABLE_BYTES, TABLE_LINE, TABLE_LINES, check_file
from explorer.core.errors import BadInput

SEPARATORS = ",;\t"
ENCODINGS = ("utf-8-sig", "cp1252")
LATIN = "It is no UTF-8 text and was read as Windows-1252: names with letters beyond a to z may be wrong."

Line = tuple[int, list[str]]
"""The number of a row's last line in the file, from 1, and its cells."""


@contextmanager
def table_lines(table: Path) -> Iterator[tuple[Iterator[Line], list[str]]]:
    """The rows that are not blank, and notes on how the text was read; raises BadInput for what is no table."""
    try:
        check_file(table, TABLE_BYTES)
        encoding = _encoding(table)
        yield _lines(table, encoding), [LATIN] if encoding == "cp1252" else []
    except csv.Error as error:
        raise BadInput(f"{table} can't be read as a table: {error}.") from error
    except OSError as error:
        raise BadInput(f"{table} can't be read: {error.strerror}.") from error


def _encoding(table: Path) -> str:
    """The first of ENCODINGS that the whole file is in, or UTF-16 where it begins like that; its lines are counted."""
    with table.open("rb") as file:
        begin = file.read(2)
    for encoding in ("utf-16",) if begin in (b"\xff\xfe", b"\xfe\xff") else ENCODINGS:
        try:
            with table.open(encoding=encoding) as text:
                blocks = iter(lambda: text.read(2**20), "")
                TABLE_LINES.check(table, sum(block.count("\n") for block in blocks))
            return encoding
        except UnicodeError:
            continue
    raise BadInput(f"{table} is no table: it is not UTF-8 text.")


def _lines(table: Path, encoding: str) -> Iterator[Line]:
    """The rows that are not blank, with their lines; one at a time, however long the table is."""
    with table.open(encoding=encoding, newline="") as file:
        separator = max(SEPARATORS, key=file.readline(TABLE_LINE.most).count)
        file.seek(0)
        pieces = iter(lambda: file.readline(TABLE_LINE.most + 1), "")
        reader = csv.reader(_short(table, pieces), delimiter=separator, strict=True)
        for cells in reader:
            if any(cells):
                yield reader.line_num, [cell.strip() for cell in cells]


def _short(table: Path, lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        TABLE_LINE.check(table, len(line.rstrip("\r\n")))
        yield line
