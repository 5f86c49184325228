"""What a stranger's file says is text: it fetches nothing, and nothing in it can be clicked."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("playwright")

from acting import settle, turn, upload, visit
from foreign_exports import ACTIVE, altered, of_type, renamed
from playwright.sync_api import Page, expect


def foreign_links(tab: Page) -> list[str]:
    links = tab.locator("a[href], img[src], iframe[src]").evaluate_all(
        "all => all.map(each => each.href?.baseVal ?? each.href ?? each.src)"
    )
    return [link for link in links if ":9/" in link or "example.org" in link]


def test_a_name_in_a_file_is_text_wherever_it_is_shown(tab: Page, tmp_path: Path) -> None:
    """That nothing is asked of another host is asserted by the fixture."""
    for name, change in (("type", of_type(ACTIVE[0])), ("names", renamed)):
        (tmp_path / f"{name}.safetensors").write_bytes(altered(change))
    visit(tab, "network")
    dialog = upload(tab, tmp_path / "type.safetensors")
    expect(dialog.get_by_role("alert").filter(has_text="has the type '![x](http")).to_be_visible()
    assert foreign_links(tab) == []
    tab.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    upload(tab, tmp_path / "names.safetensors").wait_for(state="hidden")
    for page in ("network", "saliency", "prune", "export"):
        turn(tab, page) if page != "network" else settle(tab)
        assert foreign_links(tab) == [], page
