"""An app that listens everywhere: nobody comes in without its token, and each browser has a workspace of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from of_demo import UNITS

pytest.importorskip("playwright")

from acting import facts, press, run_of, settle, state, visit
from playwright.sync_api import Page

from explorer.ui.serving.guard import REFUSED
from explorer.ui.work.visitors import SHARED

ROUTES = ("/prune", "/_stcore/host-config", "/_stcore/stream", "/media/0.png", "/index.html")
ELSEWHERE = SHARED.partition(":")[0]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The work folder of the served app."""
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def server(serve: Callable[..., AbstractContextManager[str]], home: Path) -> Iterator[str]:
    """The address of an app that listens everywhere, without its token."""
    with serve(home, "--host", "0.0.0.0") as address:
        yield address


@pytest.fixture
def token(server: str, home: Path) -> str:
    """What the command has printed."""
    found = re.search(r"\?token=([A-Za-z0-9_-]+)", (home / "server.log").read_text())
    assert found
    return found[1]


def test_without_the_token_there_is_one_sentence_and_nothing_else(tab: Page) -> None:
    reply = tab.goto("/?token=wrong")
    assert reply and reply.status == 403
    assert tab.locator("body").inner_text().strip() == REFUSED
    assert tab.locator("script").count() == 0
    assert {route: tab.request.get(route).status for route in ROUTES} == dict.fromkeys(ROUTES, 403)
    assert tab.request.put("/_stcore/upload_file/a/b", data=b"x").status == 403
    assert tab.context.cookies() == []


def test_two_browsers_see_their_own_runs_and_a_link_shows_the_others(
    new_tab: Callable[..., Page], token: str, home: Path
) -> None:
    anna, bert = new_tab(), new_tab()
    anna.goto(f"/prune?token={token}")
    settle(anna)
    press(anna, "Remove 10", "state 1 of 1")
    assert token not in anna.url
    workspace = parse_qs(urlsplit(anna.url).query)["workspace"]
    assert [path.relative_to(home).parts[:3] for path in home.rglob("run.json")] == [("people", *workspace, "runs")]
    assert token not in anna.evaluate("document.cookie")
    bert.goto(f"/?token={token}")
    settle(bert)
    visit(bert, "prune", run_of(anna))
    assert (state(bert), facts(bert)["Units"]) == ("state 0 of 0", str(UNITS))
    assert bert.get_by_text(ELSEWHERE).count() == 0
    bert.goto(anna.url)
    settle(bert)
    assert state(bert) == "state 1 of 1"
    bert.get_by_text(ELSEWHERE).wait_for()
    again = anna.context.new_page()  # the browser is known by its cookie
    again.goto("/")
    settle(again)
    assert parse_qs(urlsplit(again.url).query)["workspace"] == workspace
