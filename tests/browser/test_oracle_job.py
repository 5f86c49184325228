"""The oracle as a job: it moves, outlives a reload, stops when asked, and shows what it has so far."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import nn

pytest.importorskip("playwright")

from acting import PICTURE, settle, turn, until, upload, visit
from playwright.sync_api import Locator, Page

from explorer import open_network
from explorer.networks.graph.safetensors_file import write_network
from explorer.networks.load import assemble

PROGRESS = re.compile("The oracle of every unit: ")
ALL = re.compile("(Run|Go on to) all ")
OF_ORACLE = "[class*='st-key-cancel-oracle']"  # scoring has a button of its own


def wide_network(path: Path) -> Path:
    """A network for the demo's images whose oracle takes minutes: it never ends while a test looks at it."""
    torch.manual_seed(0)
    widths, layers = (1, 80, 80, 80), list[nn.Module]()
    for read, write in pairwise(widths):
        layers += [nn.Conv2d(read, write, 3, padding=1), nn.ReLU()]
    module = nn.Sequential(*layers, nn.MaxPool2d(4), nn.Flatten(), nn.Linear(widths[-1] * 49, 10))
    network = assemble(path.name, "test:wide", module, (1, 28, 28), open_network("demo").preprocessing)
    write_network(network, path, metrics={}, provenance={})
    return path


def cancel_button(tab: Page) -> Locator:
    return tab.locator(OF_ORACLE).get_by_role("button", name="Cancel")


def progress(tab: Page) -> str:
    """What the progress bar says."""
    return tab.get_by_text(PROGRESS).first.inner_text()


def moves(tab: Page) -> None:
    cancel_button(tab).wait_for()
    before = progress(tab)
    until(tab, lambda: progress(tab) != before, f"progress after {before!r}")


def cancel(tab: Page) -> None:
    cancel_button(tab).click()
    tab.get_by_text(re.compile(r"The oracle of every unit: cancelled at \d+%")).wait_for()
    settle(tab)
    assert not cancel_button(tab).count()


def pictures(tab: Page) -> tuple[int, int]:
    """How many charts are drawn, and how many figures the page names; while one replaces another there is one more."""
    return tab.locator(PICTURE).count(), tab.get_by_role("figure").count()


def test_the_oracle_moves_goes_on_after_a_reload_stops_and_starts_again(tab: Page, tmp_path: Path) -> None:
    visit(tab, "network")
    path = wide_network(tmp_path / "wide.safetensors")
    upload(tab, path)
    tab.locator(".state-bar .name", has_text=path.name).wait_for()
    turn(tab, "oracle")
    tab.get_by_role("button", name=ALL).click()
    moves(tab)
    tab.reload()
    moves(tab)
    assert not tab.get_by_role("button", name=ALL).count()
    cancel(tab)

    tab.get_by_role("button", name=ALL).click()
    tab.get_by_role("figure", name=re.compile("rank", re.IGNORECASE)).first.wait_for()
    tab.get_by_text(re.compile(r"\d+ of \d+ images are exact, the others linearised")).first.wait_for()
    tab.get_by_role("heading", name="Unit by unit").first.wait_for()
    until(tab, lambda: pictures(tab) == (4, 4), "ranks, effects, scatter and correlation table, each of them named")
    cancel(tab)
    until(tab, lambda: pictures(tab) == (4, 4), "the same four again, of the images that were done")
    tab.get_by_role("button", name="Dismiss").click()
    tab.get_by_text("cancelled at").wait_for(state="detached")
    settle(tab)
