"""Terms: a word of the glossary explained where it stands, by the pointer, by keys and by a tap.

Each is explained where a page mentions it first: there it has a dotted line, and its sentence opens while the pointer
is on it or it has the focus, which a tap gives it too. Headings and controls tell of theirs in their help.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape

import streamlit as st

from explorer.core.glossary import TERMS, Term, mentions
from explorer.core.text import markdown

MET = "terms-met"  # of the page as it is drawn: term -> the text that mentions it first
STYLE = """
<style>
dfn.term { font-style: inherit; text-decoration: underline dotted 1px; text-underline-offset: 0.2em; cursor: help;
  border-radius: 2px; anchor-name: --term; anchor-scope: --term; }
dfn.term::after { content: attr(data-means); display: none; position: fixed; inset: auto 1rem 1rem; z-index: 1000000;
  width: fit-content; max-width: min(22rem, 100vw - 2rem); margin: 0.35rem 0; padding: 0.5rem 0.7rem;
  border-radius: 0.4rem; font-size: 0.85rem; font-weight: 400; line-height: 1.4; letter-spacing: 0; text-align: left;
  white-space: normal; pointer-events: none; color: var(--ground); background: var(--ink); }
@supports (anchor-scope: --term) {
  dfn.term::after { inset: auto; position-anchor: --term; position-area: bottom span-right;
    position-try-fallbacks: flip-block, flip-inline, flip-block flip-inline; }
}
dfn.term:is(:hover, :focus)::after { display: block; }
</style>
"""


def begin() -> None:
    """A page is drawn from its top: it has mentioned nothing yet."""
    st.session_state[MET] = {}


def explained(text: str, written: Callable[[str], str] = str) -> str:
    """A text as Markdown or HTML, in which each term explains itself that the page mentions here for the first time.

    written: what makes the text harmless where it is not so already, such as `html.escape`.
    """
    parts, end = [], 0
    for start, stop, term in _first(text):
        word = (
            f'<dfn class="term" tabindex="0" data-means="{escape(term.means)}" aria-description="{escape(term.means)}">'
        )
        parts += [written(text[end:start]), word, written(text[start:stop]), "</dfn>"]
        end = stop
    return "".join([*parts, written(text[end:])])


def told(text: str) -> str | None:
    """The help of a heading: its terms that the page mentions here for the first time, as Markdown."""
    return "\n\n".join(f"**{term.word}**: {markdown(term.means)}" for *_, term in _first(text)) or None


def help_of(*words: str, also: str = "") -> str:
    """The help of a control: these terms of the glossary, and what else there is to say, as Markdown."""
    return "\n\n".join([*(f"**{word}**: {markdown(TERMS[word].means)}" for word in words), *filter(None, [also])])


def _first(text: str) -> Iterator[tuple[int, int, Term]]:
    """The first mention of each term in the text, unless the page has mentioned it before, elsewhere."""
    here, met = set(), st.session_state.setdefault(MET, {})
    for start, stop, term in mentions(text):
        if met.setdefault(term.word, text) == text and term.word not in here:
            here.add(term.word)
            yield start, stop, term
