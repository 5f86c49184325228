"""Glossary: the words of the field, each in a plain sentence. Pages explain a word by it where it stands; docs list it.

The table is `glossary.toml`; `assets/make_docs.py` makes assets/docs/glossary.md and the list in README.md of it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Term:
    """A word; what it means; the file that gives it its meaning, in `explorer/`; the forms that pages explain."""

    word: str
    means: str
    where: str
    explained: tuple[str, ...] = ()  # in small letters


def _read() -> dict[str, tuple[Term, ...]]:
    table = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {
        title: tuple(Term(row["word"], row["means"], row["where"], tuple(row.get("explained", ()))) for row in rows)
        for title, rows in table.items()
    }


GROUPS = _read()  # title -> its terms, in the order in which the data goes its way
TERMS = {term.word: term for group in GROUPS.values() for term in group}
FIRST = ("feature map", "unit", "criterion", "saliency", "Taylor", "oracle", "gate", "FLOPs", "loss", "fine-tuning")


def mentions(text: str) -> Iterator[tuple[int, int, Term]]:
    """Where terms stand in a text, from left to right, the longest form first: start, end, and which term it is."""
    pattern, terms = _forms()
    for found in pattern.finditer(text):
        yield found.start(), found.end(), terms[found[0].lower()]


@cache
def _forms() -> tuple[re.Pattern[str], dict[str, Term]]:
    terms = {form: term for term in TERMS.values() for form in term.explained}
    longest_first = sorted(terms, key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w-])", re.IGNORECASE), terms
