"""How long the pages take, in a real browser: `python tests/benchmarks/pages.py [demo] [vgg16] [--pause 0.5]`.

From the click to the new state in the bar, and to the page being drawn: its script ended and a frame passed. From a
threshold's release to the measured accuracy. On the demo and on a VGG-16 for 32x32 images (4,224 units, images of
../shared/data), once the first scores are there; with a pause between two clicks. Median and worst;
processor seconds are those of the server and its threads.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from sitting import FLAGS, app, click_state
from subjects import SHARED, vgg16
from threshold_line import drag, line

from explorer import open_network
from explorer.networks.graph.safetensors_file import write_network
from explorer.runs.store import Run, write_run

RUN = "run-of-the-benchmark"
RESTING = 0.15  # processor seconds in 2 s: of a server with nothing to do
GO = re.compile(r"([\d,]+) units? would go\. Measured on")
GO_JS = f"/{GO.pattern}/"
WATCH = """
addEventListener("pointerdown", () => { window.began = null }, true);
for (const kind of ["click", "pointerup"]) addEventListener(kind, () => {
    window.began ??= performance.now();
    window.shown = window.drawn = null;
}, true);
window.look = () => {
    if (!window.began) return;
    const text = document.body.innerText;
    if (window.shown === null && window.reached(text)) window.shown = performance.now() - window.began;
    const idle = document.querySelector("[data-testid=stApp][data-test-script-state=notRunning]");
    if (window.shown !== null && window.drawn === null && idle) {
        window.drawn = performance.now() - window.began;
        requestAnimationFrame(() => { window.drawn = performance.now() - window.began });
    }
};
new MutationObserver(window.look).observe(document, {subtree: true, childList: true, attributes: true,
    attributeFilter: ["data-test-script-state"], characterData: true});
"""


class Clock:
    """Times what follows a click, in the page; and the server's processor."""

    def __init__(self, tab: Page, pid: int, pause: float) -> None:
        self.tab, self.pid, self.pause = tab, pid, pause
        self.rows: dict[str, list[tuple[float, float, float]]] = {}

    def time(self, name: str, act: Callable[[], object], reached: str) -> None:
        """Seconds until `reached`, JavaScript over the page's text, and until drawn."""
        self.tab.evaluate(f"window.reached = text => {reached}; window.began = window.shown = window.drawn = null")
        before = self._processor()
        act()
        self.tab.wait_for_function("window.drawn", polling=20)
        self.tab.wait_for_timeout(60)
        shown, drawn = self.tab.evaluate("[window.shown / 1000, window.drawn / 1000]")
        self.rows.setdefault(name, []).append((shown, drawn, self._processor() - before))
        self.tab.wait_for_timeout(1000 * self.pause)

    def _processor(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rest(self) -> None:
        """Wait until the server has done all that it does in the background."""
        busy = True
        while busy:
            before = self._processor()
            self.tab.wait_for_timeout(2000)
            busy = self._processor() - before > RESTING

    def show(self, title: str) -> None:
        """Print the table."""
        print(f"\n{title}\n{'seconds':34}{'shown':>8}{'worst':>8}{'drawn':>8}{'worst':>8}{'cpu':>8}{'times':>7}")
        for name, row in self.rows.items():
            shown, drawn, processor = ([each[column] for each in row] for column in range(3))
            cells = (*_middle_and_worst(shown), *_middle_and_worst(drawn), statistics.median(processor))
            print(f"{name:34}{''.join(f'{cell:8.2f}' for cell in cells)}{len(row):7}", flush=True)


def _middle_and_worst(values: list[float]) -> tuple[float, float]:
    return statistics.median(values), max(values)


def measured(tab: Page, pid: int, title: str, times: int, pause: float) -> None:
    """The Prune page and the Saliency page of the run."""
    clock = Clock(tab, pid, pause)
    tab.get_by_role("button", name="Remove 1", exact=True).wait_for()
    settle(tab)
    clock.rest()
    for at in range(1, times + 2):
        press(clock, "step: Remove 1" if at > 1 else "the first step", "Remove 1", at)
    for number in range(times):
        jump(clock, at if number % 2 else number + 1)
    for number in range(times):
        redraw(clock, ("loss", "accuracy")[number % 2])
    tab.get_by_role("link", name="Saliency").click()
    line(tab).wait_for()
    tab.get_by_text("Stop measuring the curve").wait_for(state="detached")
    settle(tab)
    clock.rest()
    for number in range(times):
        release(clock, 0.3 + 0.5 * (number + 0.5) / times)
    clock.show(title)


def press(clock: Clock, name: str, label: str, then: int) -> None:
    button = clock.tab.get_by_role("button", name=label, exact=True)
    button.scroll_into_view_if_needed()
    clock.time(name, button.click, f"/state {then} of /.test(text)")


def jump(clock: Clock, number: int) -> None:
    clock.time("jump to any state", lambda: click_state(clock.tab, number), f"/state {number} of /.test(text)")


def redraw(clock: Clock, quantity: str) -> None:
    button = clock.tab.get_by_role("radio", name=quantity)
    clock.time("redraw: another quantity", button.click, "true")


def release(clock: Clock, share: float) -> None:
    """Drag the threshold to a share of the histogram's width."""
    tab = clock.tab
    drag(tab, share, steps=4)
    tab.wait_for_timeout(100)
    before = GO.search(tab.locator("body").inner_text())
    changed = f"text.match({GO_JS})?.[1] !== {before[1]!r}" if before else "true"
    ready = f"{GO_JS}.test(text) && {changed}"
    clock.time("threshold: release to measured", tab.mouse.up, ready)


def settle(tab: Page) -> None:
    """Wait until the page is drawn."""
    tab.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    tab.wait_for_timeout(500)


def of_demo(work: Path) -> str:
    """A fresh run of the demo."""
    return f"The demo, {len(open_network('demo').units)} units"


def of_vgg16(work: Path) -> str:
    """A run of VGG-16 on CIFAR images."""
    from explorer.runs.origins import Source, source_to_json
    from explorer.ui.work.workspace import keep_upload

    found, _ = vgg16(64)
    path = work / "vgg16.safetensors"
    write_network(found, path, metrics={}, provenance={})
    data = str(SHARED / "cifar10" / "train4000_lossless.npz")
    network, images = source_to_json(Source(keep_upload(path.read_bytes()), path.name, None, data))
    write_run(work / "runs" / RUN, Run(network, images))
    return f"VGG-16, {len(found.units):,} units"


SUBJECTS = {"demo": of_demo, "vgg16": of_vgg16}


def main() -> None:
    """Print a table for each network."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("subjects", nargs="*", choices=[*SUBJECTS, []], default=list(SUBJECTS))
    options.add_argument("--times", type=int, default=12)
    options.add_argument("--pause", type=float, default=0.5, help="seconds between a drawn page and the next click")
    chosen = options.parse_args()
    for name in chosen.subjects:
        with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
            work = Path(folder)
            os.environ["PRUNING_EXPLORER_WORKDIR"] = folder
            title = SUBJECTS[name](work)
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
            with app(work, threads=None) as (process, address):
                tab = browser.new_page(viewport={"width": 1440, "height": 1400})
                tab.set_default_timeout(120_000)
                tab.add_init_script(WATCH)
                tab.goto(f"{address}/prune?run={RUN}")
                measured(tab, process.pid, title, chosen.times, chosen.pause)
            browser.close()


if __name__ == "__main__":
    main()
