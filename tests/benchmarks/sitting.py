"""The real app in a process of its own, and somebody who works in it with a real browser until it is killed."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Error, Page

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))

from acting import IDLE, click_state
from after_kills import Asked, Event, Seen, await_writing, deletion, seen

from explorer.runs.store import read_run

ROOT = Path(__file__).resolve().parents[2]
START = "from explorer.cli import main; main()"  # what the console command runs
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
LABELS = ("Remove 1", "Remove 10", "Undo", "Redo", "Back 2")
WATCH = """
window.barsSeen = [];
setInterval(() => {
    const bar = document.querySelector(".state-bar");
    if (!bar) return;
    const facts = [...bar.querySelectorAll(".fact .value")].map(one => one.textContent);
    const now = [bar.querySelector(".what").textContent, facts];
    if (JSON.stringify(now) !== JSON.stringify(window.barsSeen.last)) { window.barsSeen.push(now); }
    window.barsSeen.last = now;
}, 15);
"""


@contextmanager
def app(work: Path, threads: int | None = 1) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The app, as its command starts it, with so many threads for each computation, or as many as it takes."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    command = [sys.executable, "-c", START, "app", "--no-browser", "--port", str(port), "--workdir", str(work)]
    environment = os.environ | ({"OMP_NUM_THREADS": str(threads)} if threads else {})
    with (work / "server.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, env=environment)
    address = f"http://localhost:{port}"
    try:
        _await(address, process)
        yield process, address
    finally:
        process.kill()
        process.wait()


def _await(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert process.poll() is None, "the app did not start"
        try:
            urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)


class Sitting:
    """One visit to the app, until it is killed."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes], chance: random.Random, writing: bool) -> None:
        self.folder, self.process, self.chance, self.writing = folder, process, chance, writing
        self.found: list[Event] = []

    def events(self, browser: Browser, address: str) -> list[Event]:
        """All that was asked and seen."""
        context = browser.new_context(viewport={"width": 1440, "height": 1400})
        tab = context.new_page()
        tab.set_default_timeout(3000)
        tab.add_init_script(WATCH)
        tab.goto(f"{address}/prune?run={self.folder.name}", timeout=180_000)
        tab.get_by_role("button", name="Remove 1", exact=True).wait_for(timeout=180_000)
        tab.locator(IDLE).wait_for(timeout=180_000)
        if not self.folder.exists():
            self._press(tab, "Remove 1")
        killer = threading.Thread(target=self._kill)
        killer.start()
        while self.process.poll() is None:
            self._act(tab)
        killer.join()
        self._look(tab)
        context.close()
        return self.found

    def _kill(self) -> None:
        time.sleep(self.chance.uniform(0.5, 7))
        if self.writing:
            await_writing(self.folder)
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def _act(self, tab: Page) -> None:
        """Do something, unless the page refuses: a button that is gone, or a server that is."""
        act = self.chance.choice([*LABELS, self._name, self._delete, self._turns, self._jump, self._reload])
        before = len(self.found)
        try:
            self._press(tab, act) if isinstance(act, str) else act(tab)
        except Error:
            if self.process.poll() is None:  # the button was not there
                self.found = [event for n, event in enumerate(self.found) if n < before or isinstance(event, Seen)]
        self._look(tab)

    def _look(self, tab: Page) -> None:
        try:
            shown = tab.evaluate("window.barsSeen ? window.barsSeen.splice(0) : []")
        except Error:  # a reload was under way
            return
        self.found += [seen(place, facts) for place, facts in shown]

    def _here(self, tab: Page) -> int:
        self._look(tab)
        return next(event.number for event in reversed(self.found) if isinstance(event, Seen))

    def _settle(self, tab: Page) -> None:
        """Wait until the page is drawn, or nobody draws it any more."""
        tab.wait_for_timeout(150)
        while not tab.locator(IDLE).count() and self.process.poll() is None:
            tab.wait_for_timeout(50)

    def _press(self, tab: Page, label: str) -> None:
        button = tab.get_by_role("button", name=label, exact=True)
        if not button.is_enabled():
            return
        self.found.append(Asked(label, self._here(tab)))
        button.click()
        self._settle(tab)

    def _name(self, tab: Page) -> None:
        number = self._here(tab)
        box = tab.get_by_role("textbox", name=f"Name of state {number}")
        self.found.append(Asked("rename", number))
        box.fill(f"name {self.chance.randrange(1000)}")
        box.press("Enter")
        self._settle(tab)

    def _delete(self, tab: Page) -> None:
        number = self._here(tab)
        if not number or self.chance.random() < 0.5:
            return
        self.found.append(deletion(self.folder, number))
        tab.get_by_role("button", name=re.compile("^Delete it")).first.click()
        self._settle(tab)

    def _turns(self, tab: Page) -> None:
        begin = tab.get_by_role("button", name="Prune and fine-tune")
        if not begin.is_visible():
            tab.get_by_text("In turns with fine-tuning").click()
        self.found.append(Asked("turns", self._here(tab)))
        begin.click()
        self._settle(tab)

    def _jump(self, tab: Page) -> None:
        numbers = read_run(self.folder).timeline.states
        number = self.chance.choice(list(numbers))
        self.found.append(Asked("jump", number))
        click_state(tab, number)
        self._settle(tab)

    def _reload(self, tab: Page) -> None:
        self._look(tab)
        tab.reload()
        tab.locator(".state-bar").wait_for()
