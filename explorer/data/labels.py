"""Labels: from what people call classes, in tables and arrays, to their numbers from 0."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from explorer.core.bounds import CLASSES
from explorer.core.errors import BadInput
from explorer.core.text import quoted

WHOLE = re.compile(r"[+-]?\d{1,18}(\.0*)?")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|nan|inf", re.IGNORECASE)
MINUS = {"-1", "-1.0"}
UNLABELLED = {"": "unlabelled, with an empty label", **dict.fromkeys(sorted(MINUS), "unlabelled, with the label -1")}
"""Label as written -> the reason that an image is left out for, where it means none; see `meaning_none`."""


@dataclass(frozen=True)
class Numbering:
    """The classes of a data set, and which label stands for which."""

    classes: tuple[str, ...]
    numbers: dict[str, int]  # label -> position in `classes`
    note: str = ""  # for people, where this is not plain


def numbering(subject: str, labels: Collection[str]) -> Numbering:
    """The classes that labels as written name: by their names in alphabetical order, or numbered, if all are numbers.

    BadInput, which begins with the subject, where labels are numbers but no whole ones, or as `of_numbers` says.
    """
    if all(WHOLE.fullmatch(label) for label in labels):
        values = {label: int(label.partition(".")[0]) for label in labels}
        found = of_numbers(subject, set(values.values()))
        return Numbering(
            found.classes, {label: found.numbers[str(value)] for label, value in values.items()}, found.note
        )
    if all(NUMBER.fullmatch(label) for label in labels):
        odd = next(label for label in sorted(labels) if not WHOLE.fullmatch(label))
        raise BadInput(f"{subject} has the label {quoted(odd, 40)}: classes are whole numbers, or names.")
    CLASSES.check(subject, len(labels))
    classes = tuple(sorted(labels))
    return Numbering(classes, {name: number for number, name in enumerate(classes)})


def meaning_none(subject: str, labels: Collection[str]) -> set[str]:
    """The labels of a table that say that an image has none: empty ones, and -1 where others are numbers from 0.

    Raises BadInput, which begins with the subject, for -1 and 1 alone, which may be two, and where no label is left.
    """
    none, rest = {""} & set(labels), set(labels) - MINUS - {""}
    if rest and all(label.isdecimal() for label in rest) and (minus := MINUS & set(labels)):
        if {int(label) for label in rest} == {1}:
            raise BadInput(
                f"{subject} has the labels -1 and 1 alone: write 0 and 1 for two classes, and leave out the rows that "
                "have none."
            )
        none |= minus
    if none == set(labels):
        raise BadInput(f"{subject} is empty in every row: images without labels can't be measured on.")
    return none


def of_numbers(subject: str, values: Collection[int]) -> Numbering:
    """Classes numbered from 0; from 1 where the labels are exactly 1, 2, .. up to their number, and that is noted.

    Raises BadInput for labels below 0, which is how unlabelled images are often marked, and for more classes than the
    bound.
    """
    low, high = min(values), max(values)
    if low < 0:
        raise BadInput(f"{subject} has the label {low}: classes are numbered from 0; leave out what has no label.")
    from_one = low == 1 and high == len(values) > 1
    CLASSES.check(subject, high + (not from_one))
    classes = tuple(map(str, range(high + (not from_one))))
    note = f"Labels 1 to {high} are read as classes 0 to {high - 1}, as there is no label 0." if from_one else ""
    if not from_one and len(values) < len(classes):
        note = f"{len(classes) - len(values):,} of the classes 0 to {high} have no image."
    return Numbering(classes, {str(value): value - from_one for value in values}, note)
