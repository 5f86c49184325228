"""Foreign text: text from files, names and addresses, made harmless for each place that shows it.

A class may be called `![x](http://127.0.0.1/t.png)`, a layer `<img>`, a file may have an escape character in its name.
Each function here gives a text that reads as the foreign one where it is shown, and does nothing else there.
"""

from __future__ import annotations

import re
from html import escape

UNSEEN = "\N{REPLACEMENT CHARACTER}"  # in place of escapes, reversed writing and unpaired surrogates
JOINER = "\N{WORD JOINER}"  # has no width: it only keeps what stands around it from being taken together
MORE = "..."

_MARKUP = re.compile(r"[\\`*_~\[\]<>&$]")
_OPENING = re.compile(r"^(\d*)([#+\-=.)|])")  # the beginning of a heading, a list or a table
_TOGETHER = re.compile(
    r"(?<=:)(?=[\w+-]+(?:/\w+)?[:\[])"  # :name: is an emoji or an icon, :red[ a colour
    r"|(?=://)|(?<=\bwww)(?=\.)|(?=@)"  # addresses become links by themselves
    r"|(?<=(?<!\S)[-<>=~])(?=[->=]+(?!\S))",  # -- and -> become a dash and an arrow, where they stand alone
    re.IGNORECASE,
)


def one_line(text: object) -> str:
    """The text on one line, for terminals and as the first step everywhere: white space is blank, all else visible."""
    return "".join(" " if each.isspace() else each if each.isprintable() else UNSEEN for each in str(text))


def quoted(value: object, most: int = 60) -> str:
    """The value as a message quotes it: as Python writes it, what has no shape as an escape, at most so many signs.

    "..." behind it says that there is more.
    """
    if isinstance(value, str):
        return repr(value) if len(value) <= most else f"{value[:most]!r}{MORE}"
    return shortened(one_line(repr(value)), most)


def shortened(text: str, most: int) -> str:
    """The text, or as many whole words of it as fit into so many signs, and "..."; one long word is cut."""
    if len(text) <= most:
        return text
    start = text[: most - len(MORE)]
    words, _, last = start.rpartition(" ")
    return f"{words if words and len(last) < most // 2 else start}{MORE}"


def counted(number: int, noun: str) -> str:
    """ "1 unit", "1,000 units"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def first_line(error: BaseException, most: int = 200) -> str:
    """The cause, for the end of a sentence: the first line of an error's message, or the error's name."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return shortened(one_line(lines[0]).removesuffix("."), most)


def markdown(text: object) -> str:
    """The text for Streamlit's Markdown, where it shows as it is: no markup, no link, no icon, no formula."""
    line = _TOGETHER.sub(JOINER, one_line(text))
    blank = len(line) - len(line.lstrip())  # four blanks would begin a block of code
    return "\N{NO-BREAK SPACE}" * blank + _OPENING.sub(r"\1\\\2", _MARKUP.sub(r"\\\g<0>", line[blank:]))


def plotly(text: object) -> str:
    """The text for a figure of plotly, whose titles, labels and hover texts know some HTML and %{templates}."""
    return escape(one_line(text), quote=False).replace("%{", f"%{JOINER}{{")


def cell(text: object) -> str:
    """The text for a table that people download: an apostrophe keeps spreadsheets from computing what begins with =."""
    line = one_line(text)
    return f"'{line}" if line.lstrip().startswith(("=", "+", "-", "@")) else line
