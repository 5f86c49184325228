"""The guard, asked as a server asks it: who comes in, by which route, and what the others are told."""

from __future__ import annotations

import asyncio
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

pytest.importorskip("starlette")

from explorer.ui.serving.guard import REFUSED, Guard

SECRET = "a-token-of-the-tests"
COOKIE = f"pruning-explorer-8501={SECRET}"
ROUTES = ("/", "/prune", "/_stcore/upload_file/a/b", "/_stcore/host-config", "/media/a.png", "/static/js/a.js")
WRONG = ("", "wrong", SECRET[:-1], SECRET + "a", SECRET.upper(), "\u00fc", "%00", "%ff%fe")


async def behind(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The app that is guarded."""
    await send({"type": "reached"})


def asked(
    path: str, query: str = "", cookie: str = "", kind: str = "http", method: str = "GET"
) -> list[dict[str, Any]]:
    """All that is answered to a request."""
    said: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    scope = {
        "type": kind,
        "path": path,
        "query_string": query.encode(),
        "scheme": "http",
        "server": ("127.0.0.1", 8501),
        "headers": [(b"cookie", cookie.encode()), (b"host", b"a:b:c")],
        "method": method,
    }
    asyncio.run(Guard(behind, SECRET)(scope, None, send))
    return said


def reached(said: list[dict[str, Any]]) -> bool:
    return said == [{"type": "reached"}]


def headers(said: list[dict[str, Any]], name: str) -> list[str]:
    return [value.decode() for key, value in said[0]["headers"] if key.decode() == name]


@pytest.mark.parametrize("path", ROUTES)
def test_without_the_token_every_route_gives_the_sentence_and_nothing_else(path: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
        start, body = asked(path, method=method)
        assert (start["status"], body["body"].decode()) == (403, REFUSED)
    assert [message["type"] for message in asked("/_stcore/stream", kind="websocket")] == ["websocket.close"]


@pytest.mark.parametrize("token", WRONG)
def test_a_wrong_token_opens_nothing(token: str) -> None:
    assert asked("/", f"token={token}")[0]["status"] == 403
    assert asked("/", "", f"pruning-explorer-8501={token}")[0]["status"] == 403
    assert asked("/", "", f"pruning-explorer-9999={SECRET}")[0]["status"] == 403  # of another port's app
    assert not reached(asked("/_stcore/stream", f"token={SECRET}", kind="websocket"))  # only the cookie opens that


@pytest.mark.parametrize("path", ROUTES)
def test_with_the_cookie_every_route_is_handed_on(path: str) -> None:
    assert reached(asked(path, "run=abcdefgh", f"other=1; {COOKIE}"))
    assert reached(asked("/_stcore/stream", "", COOKIE, "websocket"))


def test_what_is_no_request_and_the_question_for_health_need_none() -> None:
    assert reached(asked("", kind="lifespan"))
    assert reached(asked("/_stcore/health"))


def test_the_token_becomes_a_cookie_and_leaves_the_address() -> None:
    said = asked("/prune", f"run=abcdefgh&token={SECRET}&race=a%26b")
    assert said[0]["status"] == 303
    (place,) = headers(said, "location")
    assert SECRET not in place
    assert urlsplit(place).path == "/prune"
    assert parse_qs(urlsplit(place).query) == {"run": ["abcdefgh"], "race": ["a&b"]}
    assert headers(said, "referrer-policy") == ["no-referrer"]
    cookies = [SimpleCookie(header) for header in headers(said, "set-cookie")]
    assert all(morsel["httponly"] and morsel["samesite"] == "lax" for each in cookies for morsel in each.values())
    values = {name: morsel.value for each in cookies for name, morsel in each.items()}
    assert values["pruning-explorer-8501"] == SECRET
    assert len(values["pruning-explorer-workspace"]) == 16


def test_a_browser_keeps_its_workspace_unless_its_cookie_is_no_id() -> None:
    def workspace(cookie: str) -> str:
        said = asked("/", f"token={SECRET}", f"pruning-explorer-workspace={cookie}")
        both = SimpleCookie("; ".join(headers(said, "set-cookie")))
        return both["pruning-explorer-workspace"].value

    assert workspace("abcdefgh1") == "abcdefgh1"
    assert workspace("../../etc/x") not in ("../../etc/x", workspace("../../etc/x"))


@pytest.mark.parametrize("path", ["//evil.example/x", "///evil.example", "/\\evil.example", "/\r\nX: y"])
def test_the_way_on_stays_on_this_server(path: str) -> None:
    (place,) = headers(asked(path, f"token={SECRET}"), "location")
    assert place.startswith("/") and not place.startswith(("//", "/\\")) and "\n" not in place
