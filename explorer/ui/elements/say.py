"""Say: the sentences of a page. All that stands in them shows as it is, whatever a file has put there.

Streamlit reads its texts as Markdown. The sentences here have no markup of their own; those that have some are
templates, written in the source, whose fields are filled in by `filled`. What is escaped shows as it is beside HTML
too, of which there is only that of `terms`.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer.core.text import markdown
from explorer.ui.elements import terms

Place = Any  # `st` itself, a container, a placeholder


def filled(template: str, *fields: object, **named: object) -> str:
    """Markdown of the project's own with foreign text in its {} fields."""
    return template.format(*map(markdown, fields), **{name: markdown(value) for name, value in named.items()})


def caption(sentence: object, place: Place = st) -> None:
    """A line of small print, under what it is about."""
    place.caption(terms.explained(markdown(sentence)), unsafe_allow_html=True)


def info(sentence: object, place: Place = st) -> None:
    """A sentence about what there is to do, or what has happened."""
    place.info(markdown(sentence))


def success(sentence: object, place: Place = st) -> None:
    """A sentence about what has been done."""
    place.success(markdown(sentence))


def warning(sentence: object, place: Place = st) -> None:
    """A sentence about what a person should know first."""
    place.warning(markdown(sentence))


def error(sentence: object, place: Place = st) -> None:
    """The sentence that says why something can't be."""
    place.error(markdown(sentence))


def subheader(title: object, place: Place = st, **options: Any) -> None:
    """The title of a part of the page."""
    place.subheader(markdown(title), help=terms.told(str(title)), **options)


def body(template: str, *fields: object, place: Place = st, **named: object) -> None:
    """Markdown of the project's own with foreign text in its fields."""
    place.markdown(terms.explained(filled(template, *fields, **named)), unsafe_allow_html=True)
