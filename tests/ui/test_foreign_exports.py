"""Exports from strangers, opened in the page: refused in one sentence, or shown as what they say."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from driving import App
from foreign_exports import ACTIVE, REFUSED, altered, renamed

from explorer.core.text import JOINER

Open = Callable[..., App]


def offered(open_app: Open, content: bytes) -> App:
    return open_app().fine().click("Open another network").upload("theirs.safetensors", content).images()


@pytest.mark.parametrize("what", REFUSED)
def test_what_no_export_has_is_refused_in_one_sentence(open_app: Open, workdir: Path, what: str) -> None:
    app = offered(open_app, altered(REFUSED[what]))
    before = app.run, app.facts
    assert not app.test.exception and len(app.test.warning) == 1 and not app.buttons["Open"]
    said = app.said
    assert "\n" not in said and said.endswith(".") and len(said) < 400
    assert (app.run, app.facts) == before
    assert not list(workdir.rglob("uploads/*")) and not list(Path.cwd().glob("marker"))


def test_names_are_shown_as_they_are_on_every_page(open_app: Open) -> None:
    app = offered(open_app, altered(renamed)).click("Open").fine()
    for page in ("", "saliency", "oracle", "prune", "compare", "export"):
        app.go(page).fine()
        for each in (*app.test.markdown, *app.test.caption, *app.test.subheader, *app.test.info, *app.test.warning):
            assert not any(f"({address}" in each.value or f"'{address}" in each.value for address in ("http", "www"))
    ticks = app.go("").figure("confusion")["layout"]["xaxis"]["ticktext"]
    assert [unescape(tick).replace(JOINER, "") for tick in ticks] == list(ACTIVE)
    assert not any("<" in tick for tick in ticks)
