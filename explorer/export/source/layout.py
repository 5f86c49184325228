"""Laying out source on lines of at most 100 characters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

WIDTH = 84  # what is left of 100 characters where calls nest


def call(name: str, arguments: Sequence[Sequence[str]], brackets: str = "()") -> list[str]:
    """The lines of name(arguments): one line where it fits, else an argument a line; arguments are lines too."""
    opening, closing = brackets[0], brackets[1]
    if all(len(argument) == 1 for argument in arguments):
        single = f"{name}{opening}{', '.join(argument[0] for argument in arguments)}{closing}"
        if len(single) <= WIDTH:
            return [single]
    if len(arguments) == 1 and len(arguments[0]) > 1:  # one long argument hugs its brackets
        first, *inner, last = arguments[0]
        return [f"{name}{opening}{first}", *inner, f"{last}{closing}"]
    inner = [line for argument in arguments for line in (*argument[:-1], f"{argument[-1]},")]
    return [f"{name}{opening}", *(f"    {line}" for line in inner), closing]


def statement(line: str, width: int = WIDTH) -> list[str]:
    """The lines of a statement: where it is too long, the arguments of its longest call stand on lines of their own."""
    start, end = max(_brackets(line), key=lambda pair: pair[1] - pair[0], default=(0, 0))
    if len(line) <= width or end - start < 2:
        return [line]
    arguments = [part.strip() for part in _split(line[start + 1 : end])]
    comma = "," if len(arguments) > 1 else ""
    inner = packed([*(f"{part}," for part in arguments[:-1]), f"{arguments[-1]}{comma}"], width - 4)
    lines = [f"    {part}" for each in inner for part in statement(each, width - 4)]
    return [line[: start + 1], *lines, line[end:]]


def packed(parts: Sequence[str], width: int) -> list[str]:
    """The parts one after the other, as many a line as fit."""
    lines = list(parts[:1])
    for part in parts[1:]:
        joined = f"{lines[-1]} {part}"
        lines[-1:] = [joined] if len(joined) <= width else [lines[-1], part]
    return lines


def _brackets(line: str) -> Iterator[tuple[int, int]]:
    """Where calls and lists open and close."""
    opened = []
    for place, letter in enumerate(line):
        if letter in "([":
            opened.append(place)
        elif letter in ")]":
            yield opened.pop(), place


def _split(text: str) -> Iterator[str]:
    """The arguments in a text between brackets."""
    depth, start = 0, 0
    for place, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and not depth:
            yield text[start:place]
            start = place + 1
    if text[start:].strip():
        yield text[start:]
