"""A server as a person starts it, and a browser that may speak to nobody else.

Without Chromium these tests skip; where CI=true, a missing Chromium is a failure. A test that fails is tried once more,
and the summary says so: a click can miss what a busy machine draws anew under it, and a fault fails twice.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
# What Streamlit logs of a tab that is closed at the moment in which it is being written to.
GONE = re.compile(
    r'Exception in ASGI application\n(?:(?!Exception in ASGI).)*?WebSocketDisconnected: Cannot call "send"', re.S
)
START = "from explorer.cli import main; main()"  # what the console command runs
SECONDS = 60


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Try each test in a browser a second time if it fails."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.flaky(reruns=1))


def _unavailable(reason: str) -> None:
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"browser tests need {reason}")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if not found:
        _unavailable(f"Chromium: none of {', '.join(CHROMIUM)} is on the PATH")
    return str(found)


@pytest.fixture(scope="session")
def workdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's work folder."""
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="session")
def server(serve: Callable[..., AbstractContextManager[str]], workdir: Path) -> Iterator[str]:
    """The address of a running app."""
    with serve(workdir) as address:
        yield address


@pytest.fixture(scope="session")
def serve(chromium: str) -> Callable[..., AbstractContextManager[str]]:
    """Call with a work folder and options of the command: a running app, by its address."""
    return _serving


@contextmanager
def _serving(workdir: Path, *options: str) -> Iterator[str]:
    port = _free_port()
    log = workdir / "server.log"
    command = [sys.executable, "-c", START, "app", "--no-browser", "--port", str(port), "--workdir", str(workdir)]
    with log.open("wb") as output:
        process = subprocess.Popen([*command, *options], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        _await(f"http://localhost:{port}", process, log)
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    said = log.read_text(errors="replace")
    assert "Traceback" not in GONE.sub("", said), said
    assert "does not exist anymore" not in said, said


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _await(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail(f"the app did not start:\n{log.read_text(errors='replace')}")


@pytest.fixture(scope="session")
def launched(chromium: str) -> Iterator[tuple[object, asyncio.AbstractEventLoop]]:
    """A browser for all tests of a process, and Playwright's event loop."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _unavailable("the package playwright")
    with sync_playwright() as playwright:
        found, loop = playwright.chromium.launch(executable_path=chromium, args=FLAGS), asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        yield found, loop
        asyncio._set_running_loop(loop)
        found.close()


@pytest.fixture(scope="module")
def browser(launched: tuple[object, asyncio.AbstractEventLoop]) -> Iterator[object]:
    """The browser. Outside such modules its loop stands still, and other tests may run loops of their own."""
    found, loop = launched
    asyncio._set_running_loop(loop)
    yield found
    asyncio._set_running_loop(None)


@pytest.fixture(scope="module")
def profiles(server: str, browser: object) -> Iterator[Callable[..., object]]:
    """Call with a number and options: the context of this number and of these options, made at the first call.

    What a browser keeps of the page's scripts serves all tests of a module; of cookies and storage it keeps nothing.
    """
    made: dict[str, object] = {}

    def profile(number: int, **options: object) -> object:
        key = f"{number} {sorted(options.items())}"
        if key not in made:
            made[key] = browser.new_context(base_url=server, **({"viewport": {"width": 1440, "height": 900}} | options))
        return made[key]

    yield profile
    for context in made.values():
        context.close()


@pytest.fixture
def new_tab(server: str, profiles: Callable[..., object]) -> Iterator[Callable[..., object]]:
    """Call with options of a context: an empty tab of a browser without cookies, another one for each tab of a test.

    At the end it asserts that nothing was asked of another host, and that no script of the page failed.
    """
    tabs, asked, failures = [], [], []

    def open_tab(**options: object) -> object:
        tab = profiles(len(tabs), **options).new_page()
        tabs.append(tab)
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("pageerror", lambda error: failures.append(str(error)))
        tab.on("websocket", lambda connection: asked.append(connection.url))
        tab.set_default_timeout(SECONDS * 1000)
        return tab

    yield open_tab
    for tab in tabs:
        tab.context.clear_cookies()
        tab.evaluate("localStorage.clear()")
        for page in tab.context.pages:
            page.close()
    host = urlsplit(server).netloc
    assert asked
    assert {url for url in asked if not _stays(url, host)} == set()
    assert failures == []


def _stays(url: str, host: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("data", "blob") or parts.netloc == host


@pytest.fixture
def tab(new_tab: Callable[..., object]) -> object:
    """An empty tab."""
    return new_tab()
