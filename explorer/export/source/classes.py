"""Blocks as classes: one for all blocks of a form, whose differing numbers are its arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from explorer.export.source.allowed import RESERVED
from explorer.export.source.expressions import is_name
from explorer.export.source.outline import Outline, OutlineItem, Slot

ROOT = "Network"


@dataclass(frozen=True)
class SourceClass:
    """A class: its name, the blocks that it stands for, and which slots its arguments fill."""

    name: str
    form: OutlineItem
    paths: tuple[str, ...]
    labels: tuple[str, ...]  # of the slots
    values: tuple[Any, ...]  # of the slots, in its first block
    arguments: Mapping[str, tuple[int, ...]]  # name -> the slots that always hold the same number


def blocks(found: Outline) -> dict[OutlineItem, SourceClass]:
    """The classes that an outline needs, inner ones first, the network last."""
    groups: dict[OutlineItem, list[tuple[str, tuple[Slot, ...]]]] = {}
    for path, form, slots in found.blocks:
        groups.setdefault(form, []).append((path, slots))
    made: dict[OutlineItem, SourceClass] = {}
    for form, group in groups.items():
        taken = {block.name for block in made.values()} | RESERVED | {ROOT}
        made[form] = _block(_class_name(group[0][0], taken), form, group)
    return made


def _block(name: str, form: OutlineItem, group: Sequence[tuple[str, tuple[Slot, ...]]]) -> SourceClass:
    paths, slots = zip(*group, strict=True)
    columns: dict[tuple[str, ...], list[int]] = {}
    for place, column in enumerate(zip(*([slot.value for slot in each] for each in slots), strict=True)):
        if any(repr(value) != repr(column[0]) for value in column):
            columns.setdefault(tuple(map(repr, column)), []).append(place)
    labels, taken = [slot.label for slot in slots[0]], set[str]()
    arguments: dict[str, tuple[int, ...]] = {}
    for places in columns.values():
        label = _argument_name(labels[places[0]], taken)
        taken.add(label)
        arguments[label] = tuple(places)
    return SourceClass(name, form, paths, tuple(labels), tuple(slot.value for slot in slots[0]), arguments)


def _argument_name(label: str, taken: set[str]) -> str:
    name = re.sub(r"\W", "_", label)
    name = name if is_name(name) and not name.startswith("__") else f"n{name}"
    return name if name not in taken else next(f"{name}_{i}" for i in range(2, 10_000) if f"{name}_{i}" not in taken)


def _class_name(path: str, taken: set[str]) -> str:
    """CamelCase of the last word in a dotted name: layer1.0 -> LayerBlock, features.denseblock1 -> Denseblock."""
    if not path:
        return ROOT
    words = path.split(".")
    named = next((word for word in reversed(words) if not word.isdigit()), "")
    camel = "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z]+", named) if part)
    whole = camel + ("Block" if words[-1].isdigit() and not re.match("(?i)blocks?$", camel) else "")
    whole = re.sub("(?i)^blocks$", "Block", whole) or "Block"
    whole = whole if is_name(whole) else f"{whole}Block"
    return whole if whole not in taken else next(f"{whole}{i}" for i in range(2, 10_000) if f"{whole}{i}" not in taken)
