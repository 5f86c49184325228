"""Glossary: each word once, found where it stands, and each of use."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from explorer.core.glossary import FIRST, TERMS, Term, mentions

ROOT = Path(__file__).resolve().parents[2]
OWN = ("glossary.md", "glossary.toml")


@cache
def project() -> str:
    """All that pages, messages and documents say, but for the glossary itself."""
    files = [*(ROOT / "explorer").rglob("*.py"), *(ROOT / "assets" / "docs").glob("*.md")]
    return "\n".join(file.read_text(encoding="utf-8").lower() for file in files if file.name not in OWN)


def found(text: str) -> list[tuple[str, str]]:
    return [(text[start:stop], term.word) for start, stop, term in mentions(text)]


def test_no_form_stands_for_two_terms_and_all_are_in_small_letters() -> None:
    forms = Counter(form for term in TERMS.values() for form in term.explained)
    assert set(forms.values()) == {1}
    assert all(form == form.lower() for form in forms)


def test_the_longest_form_of_whole_words_is_found() -> None:
    assert found("Oracle-abs of each unit") == [("Oracle-abs", "oracle-abs"), ("unit", "unit")]
    assert found("unity, subunit, pre-loss, losses") == []
    assert found("OBD: MFLOPs, not fine-tuned.") == [
        ("OBD", "OBD"),
        ("MFLOPs", "FLOPs"),
        ("fine-tuned", "fine-tuning"),
    ]


@pytest.mark.parametrize("term", TERMS.values(), ids=lambda term: term.word)
def test_a_term_is_one_plain_sentence_or_two_of_a_file_that_is_there_and_of_use(term: Term) -> None:
    assert term.means[-1] == "." and term.means[0] == term.means[0].upper() and len(term.means) < 220
    assert not re.search(r"[<>`*]", term.means)
    assert (ROOT / "explorer" / term.where).is_file()
    words = (term.word.lower(), *term.explained)
    assert any(re.search(rf"\b{re.escape(word)}\b", project()) for word in words)


def test_the_first_words_of_all_are_in_the_table() -> None:
    assert set(FIRST) <= set(TERMS)
