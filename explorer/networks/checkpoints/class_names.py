"""Class names: what a checkpoint says of its outputs, beside its weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.core.bounds import CLASSES

KEYS = (
    *("class_to_idx", "idx_to_class", "id2label", "label2id", "classes", "class_names", "class_labels", "label_names"),
)
"""Where people keep them, in order of preference: name -> number, number -> name, or a list in order."""

LEVELS = 2  # of dictionaries: beside the weights, or in settings that lie there


def class_names(saved: object) -> tuple[str, ...]:
    """The names of classes 0, 1, .. in what a file holds; () where there are none, or no number is sure."""
    level = [saved]
    for _ in range(LEVELS):
        holders = list({id(each): each for each in level if isinstance(each, Mapping)}.values())
        for key in KEYS:
            for holder in holders:
                if names := _in_order(holder.get(key)):
                    return names
        level = list(holders[0].values()) if holders else []
    return ()


def _in_order(value: Any) -> tuple[str, ...]:
    """The names by their numbers, if these are 0, 1, .. and each name is printable and is there once."""
    pairs = list(value.items() if isinstance(value, Mapping) else enumerate(value) if _is_listed(value) else ())
    if not 1 < len(pairs) <= CLASSES.most:
        return ()
    numbered = dict(map(_pair, pairs))
    names = [numbered.get(number) for number in range(len(pairs))]
    found = tuple(name for name in names if isinstance(name, str) and name.strip() and name.isprintable())
    return found if len(found) == len(set(found)) == len(pairs) else ()


def _is_listed(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _pair(pair: tuple[Any, Any]) -> tuple[Any, Any]:
    """(number, name) of name -> number, number -> name, or the number as text -> name, as JSON writes it."""
    key, value = pair
    if type(value) is int and isinstance(key, str):
        return value, key
    return (int(key) if isinstance(key, str) and key.isascii() and key.isdecimal() else key), value
