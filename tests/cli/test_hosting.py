"""Serving others: names that are answered, the token, and the address that is printed."""

from __future__ import annotations

import os
import socket

import pytest
from invoke import run

from explorer.cli import app
from explorer.cli.hosting import address, hosts, token_for
from explorer.core.errors import BadInput
from explorer.ui.work.visitors import paths_allowed

SECRET = "a-token-of-the-tests"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What Streamlit is told, in place of a server."""
    calls: list[list[str]] = []
    monkeypatch.setattr("streamlit.web.cli.main", lambda args, **_: calls.append(args))
    monkeypatch.setattr(app, "check_free", lambda host, port: None)
    monkeypatch.setattr("explorer.ui.work.visitors._tokens", [])
    monkeypatch.setattr("explorer.ui.work.visitors._closed", [])
    return calls


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_on_this_computer_only_its_own_names_are_answered(host: str) -> None:
    assert hosts(host) == ["localhost", "127.0.0.1"]


def test_elsewhere_the_names_that_were_given_are_answered_too() -> None:
    assert hosts("lab.example") == ["localhost", "127.0.0.1", "lab.example"]
    assert hosts("127.0.0.1", ["*.lab.example", "::1"])[2:] == ["*.lab.example", "::1"]
    assert socket.gethostname() in hosts("0.0.0.0")
    assert "*" not in hosts("0.0.0.0")


@pytest.mark.parametrize(
    "name", ["*", "", "http://lab.example", "lab.example:80", "a b", "a/b", "*.*.a", "lab.\u0435xample"]
)
def test_what_would_allow_all_names_or_is_none_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="is not a host name"):
        hosts("127.0.0.1", [name])


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.0.0.2", "::1"])
def test_on_this_computer_no_token_is_asked_for_unless_chosen(host: str) -> None:
    assert token_for(hosts(host), None) == ""
    assert token_for(hosts(host), SECRET) == SECRET


def test_beyond_this_computer_there_is_always_a_token_and_never_the_same() -> None:
    beyond = (hosts("0.0.0.0"), hosts("::"), hosts("10.0.0.7"), hosts("127.0.0.1", ["lab.example"]))
    made = [token_for(names, None) for names in beyond]
    assert len(set(made)) == len(made)
    assert min(map(len, made)) >= 32


@pytest.mark.parametrize("chosen", ["", "short", "with spaces in it", "a;b=c;d=e;f=g", "ü" * 20, "a" * 201])
def test_tokens_that_are_guessed_or_can_not_be_sent_are_refused(chosen: str) -> None:
    with pytest.raises(BadInput, match="12 to 200 letters"):
        token_for([], chosen)


def test_the_address_holds_the_token() -> None:
    assert address("10.0.0.7", 80, SECRET) == f"http://10.0.0.7:80/?token={SECRET}"
    assert address("fe80::1", 80, SECRET).startswith("http://[fe80::1]:80/")
    assert address("0.0.0.0", 80, SECRET).startswith(f"http://{socket.gethostname()}:80/")


def test_others_get_the_guarded_app_and_its_owner_the_address(started: list[list[str]]) -> None:
    done = run("app", "--host", "0.0.0.0", "--port", 8765, "--token", SECRET, "--allow-host", "lab.example")
    ((_, script, *settings),) = started
    assert (done.code, script) == (0, str(app.GUARDED))
    assert f"http://{socket.gethostname()}:8765/?token={SECRET}" in done.out
    told = list(zip(settings[::2], settings[1::2], strict=True))
    assert ("--server.headless", "true") in told and ("--server.allowedHosts", "lab.example") in told
    assert SECRET not in " ".join(settings)


@pytest.mark.parametrize(
    ("options", "allowed"),
    [
        ((), True),
        (("--no-allow-paths",), False),
        (("--token", SECRET), True),
        (("--host", "0.0.0.0"), False),
        (("--allow-host", "lab.example"), False),
        (("--host", "0.0.0.0", "--allow-paths"), True),
    ],
)
def test_paths_of_this_computer_are_for_its_owner_alone_unless_allowed(
    started: list[list[str]], options: tuple[str, ...], allowed: bool
) -> None:
    assert run("app", *options).code == 0 and len(started) == 1
    assert paths_allowed() == allowed


def test_a_token_of_the_environment_goes_no_further(started: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRUNING_EXPLORER_TOKEN", SECRET)
    assert SECRET in run("app").out
    assert started[0][1] == str(app.GUARDED)
    assert "PRUNING_EXPLORER_TOKEN" not in os.environ


def test_a_bad_name_or_token_is_one_sentence(started: list[list[str]]) -> None:
    for options in (("--allow-host", "*"), ("--token", "short")):
        done = run("app", *options)
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert started == []
