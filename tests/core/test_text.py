"""Foreign text shows as it is, and does nothing, wherever it is shown."""

from __future__ import annotations

import ast
import re
from html import unescape

import pytest

from explorer.core.errors import BadInput
from explorer.core.text import JOINER, UNSEEN, cell, counted, first_line, markdown, one_line, plotly, quoted, shortened

HOSTILE = [
    "![x](http://127.0.0.1:9/t.png)",
    "[here](javascript:alert(1))",
    "<img src=x onerror=alert(1)>",
    "https://example.org/a_b",
    "www.example.org",
    "someone@example.org",
    ":material/delete: :smile: :red[text]",
    "$\\frac{1}{2}$ **bold** _it_ ~~no~~ `code`",
    "a -> b -- c <- d >= e",
    "    indented",
    "# heading",
    "1. item",
    "7) item",
    "- item",
    "+ item",
    "> quote",
    "=== --- ***",
    "&lt;b&gt;",
    "%{x} <a href='http://a.b'>c</a>",
    "\x1b[31mred\x07\u202eback\u200b",
    "two\nlines\r\n\nand more",
]


def shown(text: str) -> str:
    """What a browser shows of escaped Markdown, by the rule of CommonMark: a backslash before punctuation is none."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text).replace(JOINER, "").replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("text", HOSTILE)
def test_markdown_shows_every_sign_and_no_markup(text: str) -> None:
    found = markdown(text)
    assert shown(found) == one_line(text)
    bare = re.sub(r"\\.", "", found)
    assert not re.search(r"[*_`~\[\]<>&$]", bare)
    assert not re.search(r"https?://|www\.|\w@|:\w+(/\w+)?[:\[]|(^|\s)(--|->|<-|>=)(\s|$)", found)
    assert not re.match(r"\s*([#>+-]|\d+[.)])(\s|$)", bare) and not found.startswith("    ")


@pytest.mark.parametrize("text", ["give --size and --crop", "network-1.safetensors", "3 of 4 (75 %)", "it's: fine!"])
def test_plain_sentences_can_be_copied_as_they_are(text: str) -> None:
    assert markdown(text) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_plotly_finds_neither_tags_nor_templates(text: str) -> None:
    found = plotly(text)
    assert unescape(found).replace(JOINER, "") == unescape(one_line(text).replace("&", "&amp;"))
    assert "<" not in found and ">" not in found and "%{" not in found


@pytest.mark.parametrize("text", [*HOSTILE, "half a pair \ud800"])
def test_a_line_is_one_line_of_signs_that_can_be_seen(text: str) -> None:
    found = one_line(text)
    assert found.isprintable() and len(found) == len(text)
    found.encode()
    assert (UNSEEN in found) == any(not each.isprintable() and not each.isspace() for each in text)


@pytest.mark.parametrize("text", [*HOSTILE, "x" * 10_000])
def test_a_quotation_can_be_read_back_and_is_never_cut_in_an_escape(text: str) -> None:
    found = quoted(text)
    assert found.isprintable()
    assert ast.literal_eval(found.removesuffix("...")) == text[:60]
    assert found.endswith("...") == (len(text) > 60)


def test_what_is_no_text_is_quoted_too() -> None:
    assert quoted([1, None]) == "[1, None]"
    assert len(quoted(list(range(1000)))) <= 60 and quoted(list(range(1000))).endswith("...")


def test_a_sentence_is_shortened_between_words() -> None:
    assert shortened("short", 10) == "short"
    assert shortened("one two three four", 12) == "one two..."
    assert shortened("x" * 50, 12) == "x" * 9 + "..."


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "  =1"])
def test_a_cell_is_no_formula(text: str) -> None:
    assert cell(text) == f"'{text}"
    assert cell(f"layer {text}") == f"layer {text}"


def test_what_went_wrong_is_told_in_one_line_that_ends_at_a_whole_word() -> None:
    assert first_line(ValueError("it failed.\nand more")) == "it failed"
    assert first_line(KeyError()) == "KeyError"
    told = first_line(ValueError("channels " * 50))
    assert len(told) <= 200 and told.endswith("channels...")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_refusal_is_one_line_whatever_it_quotes(text: str) -> None:
    assert str(BadInput(f"{text} is none.")) == one_line(f"{text} is none.")


def test_a_sentence_says_names_whole_and_cuts_what_is_too_long_for_one() -> None:
    name = "n" * 251 + ".pth"
    assert str(BadInput(f"/folder/{name} is no file.")) == f"/folder/{name} is no file."
    assert str(BadInput(f"/folder/{name}x is no file.")) == f"/folder/{'n' * 60}... is no file."


@pytest.mark.parametrize(("number", "text"), [(1, "1 unit"), (0, "0 units"), (10, "10 units"), (4224, "4,224 units")])
def test_counting(number: int, text: str) -> None:
    assert counted(number, "unit") == text
