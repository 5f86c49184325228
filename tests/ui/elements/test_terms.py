"""Terms explained where they stand: the first mention of each, and foreign text as harmless as before."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from types import SimpleNamespace

import pytest
from driving import App, read

from explorer.core.glossary import TERMS
from explorer.core.text import markdown
from explorer.ui.elements import terms

TAGS = re.compile("<style>.*</style>|<h1.*</h1>|<[^>]*>", re.DOTALL)
PAGES = ("", "draw", "saliency", "oracle", "prune", "compare", "challenge", "export", "paper")


@pytest.fixture(autouse=True)
def page(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that has mentioned nothing yet."""
    monkeypatch.setattr(terms, "st", SimpleNamespace(session_state={}))


def test_the_first_mention_of_a_term_is_explained_and_no_other() -> None:
    first = terms.explained("A unit, and one unit more")
    assert first.count("<dfn") == 1 and first.index("<dfn") < first.index("unit")
    assert f'data-means="{escape(TERMS["unit"].means)}"' in first and read(first) == "A unit, and one unit more"
    assert terms.explained("The same units") == "The same units"
    assert terms.explained("A unit, and one unit more") == first  # a part of the page that is drawn alone once more


def test_a_page_that_is_drawn_from_its_top_explains_its_terms_again() -> None:
    assert "<dfn" in terms.explained("one unit")
    terms.begin()
    assert "<dfn" in terms.explained("another unit")


@pytest.mark.parametrize("foreign", ["<img src=x>", "unit</dfn><script>", '" onload="x', "*unit* [unit](http://x)"])
def test_foreign_text_around_a_term_shows_as_it_is(foreign: str) -> None:
    assert read(terms.explained(markdown(foreign))) == read(markdown(foreign))
    terms.begin()
    shown = terms.explained(foreign, escape)
    assert escape(foreign) == read(shown) and "<script" not in shown and "<img" not in shown


def test_headings_and_controls_tell_in_their_help() -> None:
    assert terms.told("Taylor of every unit") == terms.help_of("Taylor", "unit")
    assert terms.told("Taylor of others") is None


@pytest.mark.parametrize("page_name", PAGES)
def test_every_term_that_a_page_mentions_is_explained_on_it(open_app: Callable[..., App], page_name: str) -> None:
    app = open_app(page_name).fine()
    inputs = (*app.test.selectbox, *app.test.number_input, *app.test.multiselect, *app.test.toggle)
    helps = " ".join(read(each.help or "") for each in (*inputs, *app.test.subheader, *app.test.button))
    shown = " ".join(str(each.value) for each in (*app.test.caption, *app.test.markdown)) + app.marked_bar
    labels = "\n".join(read(each.label) for each in (*inputs, *app.test.button_group))
    for word in {term.word for text in (app.text, TAGS.sub(" ", app.bar), labels) for *_, term in terms.mentions(text)}:
        means = TERMS[word].means
        assert f'data-means="{escape(means)}"' in shown or means in helps, word
