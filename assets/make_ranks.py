"""Make ranks.png, Fig. 2 of several studies in one picture: `python assets/make_ranks.py STUDY STUDY ...`.

Each STUDY is a folder that `pruning-explorer study --only ranks` wrote. Networks that fit side by side share a row.
Needs playwright and Chromium besides the project itself.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import plotly.graph_objects as go
from playwright.sync_api import sync_playwright
from plotly.offline import get_plotlyjs

from explorer.figures.study_pictures import parts_by_name, pictures
from explorer.study import read_study

HERE = Path(__file__).resolve().parent
WIDTH, LOW, HIGH, MOST = 1000, 340, 390, 18  # pixels; layers of a row
AXIS = 3  # layers' width that an axis takes
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
PAGE = """<!doctype html><meta charset="utf-8"><script>{script}</script>
<style>body {{ margin: 0; padding: 12px 0; background: #fff; font-family: sans-serif; color: #1a222c }}
.row {{ display: flex }} h1 {{ font-size: 15px; margin: 0 0 4px 14px }}
p {{ font-size: 12px; color: #444; margin: 0 14px 12px }}</style>{rows}"""


@dataclass(frozen=True, eq=False)
class Cell:
    """One study's picture."""

    title: str
    setting: str
    layers: int
    figure: go.Figure

    def drawn(self, width: float) -> str:
        """On a page that has plotly already."""
        height = LOW if self.layers <= MOST else HIGH
        self.figure.update_layout(width=width, height=height, font={"color": "#1a222c"})
        figure = self.figure.to_html(full_html=False, include_plotlyjs=False, config={"staticPlot": True})
        head, note = escape(self.title), escape(self.setting)
        return f'<div style="width: {width}px"><h1>{head}</h1>{figure}<p>{note}</p></div>'


def cell(folder: Path) -> Cell:
    """What a study's folder holds of Fig. 2."""
    content = read_study(folder).to_json()
    parts, network = parts_by_name(content), content["network"]
    layers = len(parts["ranks"]["result"]["panels"]["oracle"])
    title = f"{network['name']} ({network['arch']})"
    return Cell(title, parts["ranks"]["setting"], layers, pictures("ranks", parts)[0].figure)


def rows(cells: Iterable[Cell]) -> list[list[Cell]]:
    """Cells side by side as long as their layers fit into one row."""
    found: list[list[Cell]] = []
    for each in cells:
        if found and sum(other.layers for other in found[-1]) + each.layers <= MOST:
            found[-1].append(each)
        else:
            found.append([each])
    return found


def row(cells: Sequence[Cell]) -> str:
    """A row over the whole width, shared by the numbers of layers."""
    whole = sum(each.layers + AXIS for each in cells)
    return f'<div class="row">{"".join(each.drawn(WIDTH * (each.layers + AXIS) / whole) for each in cells)}</div>'


def main() -> None:
    """Draw the studies that are named, and photograph the page."""
    drawn = "".join(map(row, rows(cell(Path(name)) for name in sys.argv[1:])))
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": WIDTH, "height": LOW})
        page.set_content(PAGE.format(script=get_plotlyjs(), rows=drawn))
        page.screenshot(path=HERE / "ranks.png", full_page=True)
        browser.close()


if __name__ == "__main__":
    main()
