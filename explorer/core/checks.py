"""Checks shared by everything that reads a manifest."""

from __future__ import annotations

import keyword
import re
from typing import Any, cast

from explorer.core.errors import BadInput
from explorer.core.text import quoted

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PATH = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){0,63}")  # so deep that no walk down it is too long

LONGEST = 10_000  # characters of a name


def require(holds: bool, rule: str) -> None:
    """Raise BadInput with the broken rule unless it holds."""
    if not holds:
        raise BadInput(f"This export's manifest is damaged: {rule}.")


def is_identifier(text: object) -> bool:
    """Whether the text can stand as a new name in a method's code: no keyword, no dunder, not `self`."""
    if not isinstance(text, str) or len(text) > 512 or text == "self" or text.startswith("__"):
        return False
    return bool(_IDENTIFIER.fullmatch(text)) and not keyword.iskeyword(text)


def is_path(text: object) -> bool:
    """Whether the text is a dotted module path without dunder parts."""
    if not isinstance(text, str) or len(text) > 512 or not _PATH.fullmatch(text):
        return False
    return not any(part.startswith("__") for part in text.split("."))


def fields(value: Any, names: tuple[str, ...], what: str) -> dict[str, Any]:
    """The mapping itself if it has exactly these keys."""
    require(isinstance(value, dict), f"{what} must be an object, not {quoted(value)}")
    require(set(value) == set(names), f"{what} must have the keys {', '.join(names)}, not {quoted(sorted(value))}")
    return cast(dict[str, Any], value)


def whole_number(value: Any, what: str, least: int = 0) -> int:
    """The value if it is a whole number from `least` to 2^31 - 1."""
    good = isinstance(value, int) and not isinstance(value, bool) and least <= value < 2**31
    require(good, f"{what} must be a whole number from {least}, not {quoted(value)}")
    return cast(int, value)


def text(value: Any, what: str) -> str:
    """The value if it is a string of at most `LONGEST` characters."""
    require(isinstance(value, str), f"{what} must be a string, not {quoted(value)}")
    require(len(value) <= LONGEST, f"{what} must have at most {LONGEST} characters, not {len(value):,}")
    return cast(str, value)


def printable(value: Any, what: str) -> str:
    """The value if it is a string of one line that any program can write."""
    found = text(value, what)
    require(found.isprintable(), f"{what} must be printable text, not {quoted(value)}")
    return found


def items(value: Any, what: str, most: int = 100_000) -> list[Any]:
    """The value if it is a list of at most `most` items."""
    require(isinstance(value, list) and len(value) <= most, f"{what} must be a list of at most {most} items")
    return cast(list[Any], value)
