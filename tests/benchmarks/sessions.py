"""Many sessions of one server: opened at once on a fresh one, and what they leave in its memory once they are closed.

python tests/benchmarks/sessions.py open          12 tabs at once on a fresh server, five times
python tests/benchmarks/sessions.py memory        20 sessions that work and close, and the memory before and after
python tests/benchmarks/sessions.py clicks        seconds a step takes: alone, beside a fine-tuning, of ten
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
import time
from pathlib import Path

from pages import WATCH, Clock, press, settle
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from sitting import FLAGS, app

TABS, SERVERS = 12, 5
SESSIONS, AT_ONCE = 20, 4
CLICKS, CROWD, EACH = 8, 10, 3
CLEANED = 45  # seconds after which the server has let go of sessions that were closed: its limit is 30
PATIENCE = 240_000  # milliseconds
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"
BROKEN = re.compile(r"partially initialized|Traceback|report file|has no attribute|unforeseen", re.I)


def opened(browser: Browser, address: str, tabs: int) -> list[str]:
    """Open so many tabs at once; what is wrong on each that is broken."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    pages = [context.new_page() for _ in range(tabs)]
    for page in pages:
        page.evaluate(f"setTimeout(() => location.href = '{address}', 0)")
    found = [wrong for page in pages if (wrong := _wrong(page))]
    context.close()
    return found


def _wrong(page: Page) -> str:
    page.wait_for_url("http://localhost:*/**", timeout=PATIENCE, wait_until="commit")
    page.locator(f"{IDLE} [data-testid=stDataFrame], [data-testid=stException], [data-testid=stAlert]").first.wait_for(
        timeout=PATIENCE
    )
    page.locator(IDLE).wait_for(timeout=PATIENCE)
    said = page.locator("body").inner_text()
    alert = page.locator("[data-testid=stException], [data-testid=stAlert]")
    return alert.first.inner_text() if alert.count() else said if BROKEN.search(said) else ""


def open_at_once(browser: Browser, servers: int) -> None:
    """TABS at once on each of so many fresh servers."""
    broken = 0
    for number in range(servers):
        with tempfile.TemporaryDirectory() as folder, app(Path(folder)) as (_, address):
            begun = time.monotonic()
            found = opened(browser, address, TABS)
        broken += len(found)
        print(
            f"server {number + 1}: {len(found)} of {TABS} broken, {time.monotonic() - begun:.0f} s", *found, sep="\n  "
        )
    print(f"{broken} of {servers * TABS} sessions broken")


def remember(browser: Browser, sessions: int) -> None:
    """Memory of a server before and after so many sessions that work in it, AT_ONCE at a time, each on its own run."""
    with tempfile.TemporaryDirectory() as folder, app(Path(folder)) as (process, address):
        print(f"{_resident(process.pid):.0f} MB when it has come up", flush=True)
        _sit(browser, address, 1)
        before = _cleaned(process.pid, "one session")
        for _ in range(sessions // AT_ONCE):
            _sit(browser, address, AT_ONCE)
            print(f"{_resident(process.pid):.0f} MB", flush=True)
        after = _cleaned(process.pid, f"{sessions} sessions more")
        print(f"{after / before - 1:+.1%}")


def _cleaned(process: int, what: str) -> float:
    time.sleep(CLEANED)
    print(f"{_resident(process):.0f} MB after {what}, closed for {CLEANED} s", flush=True)
    return _resident(process)


def _resident(process: int) -> float:
    """Megabytes."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def _sit(browser: Browser, address: str, tabs: int) -> None:
    """So many tabs that take steps and look at every page; then they are closed."""
    context = browser.new_context(base_url=address, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE)
    pages = [context.new_page() for _ in range(tabs)]
    for page in pages:
        page.goto("/prune", wait_until="commit")
    for act in (*["Remove 10"] * 3, "saliency", "compare", "oracle", "Run all", "prune", "Remove 1", "Back"):
        for page in pages:
            page.locator(IDLE).wait_for()
            _act(page, act)
    for page in pages:
        page.locator(IDLE).wait_for()
    context.close()


def _act(page: Page, what: str) -> None:
    if what.islower():
        page.get_by_role("navigation", name="App pages").get_by_role("link", name=what.capitalize()).click()
    elif (button := page.get_by_role("button", name=re.compile(f"^{what}$|^{what} ")).first).is_visible():
        button.click()


def click(browser: Browser) -> None:
    """What a step takes: in one session alone, beside another's fine-tuning, and in nine of ten, in turn, beside it."""
    with tempfile.TemporaryDirectory() as folder, app(Path(folder)) as (process, address):
        context = browser.new_context(base_url=address, viewport={"width": 1440, "height": 900})
        context.set_default_timeout(PATIENCE)
        context.add_init_script(WATCH)
        first = _clock(context, process.pid)
        _show("one session alone", [_step(first, number) for number in range(1, CLICKS + 1)])
        tuning = _clock(context, process.pid)
        _tune(tuning.tab)
        steps = [_step(first, number) for number in range(CLICKS + 1, 2 * CLICKS + 1)]
        _show("one session, beside another's fine-tuning", steps, tuning.tab)
        crowd, tuning = [_clock(context, process.pid) for _ in range(CROWD - 2)], _clock(context, process.pid)
        _tune(tuning.tab)
        steps = [_step(each, number) for number in range(1, EACH + 1) for each in crowd]
        _show(f"{CROWD - 2} sessions in turn, beside idle ones and a fine-tuning", steps, tuning.tab)


def _clock(context: BrowserContext, pid: int) -> Clock:
    tab = context.new_page()
    tab.goto("/prune", wait_until="commit")
    tab.get_by_role("button", name="Remove 1", exact=True).wait_for()
    settle(tab)
    clock = Clock(tab, pid, 0.5)
    clock.rest() if len(context.pages) == 1 else tab.wait_for_timeout(5000)
    return clock


def _step(clock: Clock, number: int) -> float:
    clock.rows.clear()
    clock.tab.bring_to_front()
    press(clock, "step", "Remove 1", number)
    ((shown, _, _),) = clock.rows["step"]
    return shown


def _tune(tab: Page) -> None:
    tab.get_by_text("In turns with fine-tuning").click()
    tab.get_by_role("button", name="Prune and fine-tune").click()
    tab.get_by_role("button", name="Cancel").first.wait_for()


def _show(what: str, seconds: list[float], tuning: Page | None = None) -> None:
    still = "" if tuning is None or tuning.get_by_role("button", name="Cancel").count() else " (the fine-tuning ended)"
    middle, worst = statistics.median(seconds), max(seconds)
    print(f"{what}: median {middle:.2f} s, worst {worst:.2f} s, {len(seconds)} clicks{still}", flush=True)


def main() -> None:
    """Run what the command names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("open", "memory", "clicks"))
    parser.add_argument("--servers", type=int, default=SERVERS)
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    asked = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        if asked.what == "open":
            open_at_once(browser, asked.servers)
        elif asked.what == "clicks":
            click(browser)
        else:
            remember(browser, asked.sessions)


if __name__ == "__main__":
    main()
