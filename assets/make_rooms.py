"""Draws assets/rooms.svg, the rooms of the package and what each imports: `python assets/make_rooms.py`.

A room stands above those that it imports; an arrow that follows from others is left out. The longest way down is the
column on the right, all other rooms have lanes beside it.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

ASSETS = Path(__file__).resolve().parent
PACKAGE = ASSETS.parent / "explorer"
PICTURE = ASSETS / "rooms.svg"
ROW, LANE, MARGIN, BOX = 44, 128, 16, (104, 26)  # pixels
Edges = Mapping[str, set[str]]  # room -> rooms that it imports

HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" \
role="img" aria-label="Rooms of the package: {label}">
<style>
.ground {{ fill: #ffffff }} .box {{ fill: #eaf2f8; stroke: #0072b2 }} .arrow {{ fill: none; stroke: #55606e }}
.tip {{ fill: #55606e }} text {{ fill: #1a222c; font: 14px sans-serif; text-anchor: middle }}
@media (prefers-color-scheme: dark) {{
.ground {{ fill: #0e1117 }} .box {{ fill: #12304a; stroke: #56b4e9 }} .arrow {{ stroke: #a9b4c0 }}
.tip {{ fill: #a9b4c0 }} text {{ fill: #f2f5f8 }}
}}
</style>
<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">\
<path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>
<rect class="ground" width="{width}" height="{height}"/>
"""


def imports() -> dict[str, set[str]]:
    """Room -> the other rooms that its files import, anywhere in them."""
    rooms = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
    return {room: _imported_by(PACKAGE / room) & set(rooms) - {room} for room in rooms}


def _imported_by(folder: Path) -> set[str]:
    nodes = (node for path in folder.rglob("*.py") for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = [name for node in nodes for name in _names(node)]
    return {name.split(".")[1] for name in names if name.startswith("explorer.")}


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


def below(room: str, edges: Edges) -> set[str]:
    """All rooms that a room stands on."""
    return edges[room].union(*(below(other, edges) for other in edges[room]))


def reduced(edges: Edges) -> dict[str, set[str]]:
    """Without the arrows that follow from others."""
    return {room: found - set().union(*(below(other, edges) for other in found)) for room, found in edges.items()}


def column(edges: Edges) -> list[str]:
    """The longest way down, from its top."""
    return max((_longest(room, edges) for room in sorted(edges)), key=len)


def _longest(room: str, edges: Edges) -> list[str]:
    return [room, *max((_longest(other, edges) for other in sorted(edges[room])), key=len, default=[])]


def rows(edges: Edges) -> dict[str, int]:
    """Room -> its row from the top: one each, above all that it imports."""
    order = sorted(edges, key=lambda room: (-len(_longest(room, edges)), -len(below(room, edges)), room))
    return {room: row for row, room in enumerate(order)}


def lanes(edges: Edges) -> dict[str, int]:
    """Room -> its lane from the right, 0 = the column: the nearest that no other room's arrows run in."""
    row, middle = rows(edges), column(edges)
    found = dict.fromkeys(middle, 0)
    taken: list[set[int]] = []
    for room in sorted(set(edges) - set(middle), key=row.__getitem__):
        touched = [row[other] for other in edges if other in edges[room] or room in edges[other]]
        span = set(range(min([row[room], *touched]), max([row[room], *touched]) + 1))
        lane = next((i for i, used in enumerate(taken) if not used & span), len(taken))
        taken[lane : lane + 1] = [span.union(*taken[lane : lane + 1])]
        found[room] = lane + 1
    return found


def picture() -> str:
    """The SVG."""
    edges = reduced(imports())
    row, lane = rows(edges), lanes(edges)
    width, height = 2 * MARGIN + LANE * max(lane.values()) + BOX[0], 2 * MARGIN + ROW * (len(row) - 1) + BOX[1]
    place = {r: (width - MARGIN - BOX[0] // 2 - LANE * lane[r], MARGIN + BOX[1] // 2 + ROW * row[r]) for r in row}
    arrows = [_arrow(place[a], place[b]) for a in row for b in sorted(edges[a], key=row.__getitem__)]
    label = escape("; ".join(f"{a} imports {', '.join(sorted(edges[a])) or 'none'}" for a in row))
    boxes = [_box(room, *place[room]) for room in row]
    return HEAD.format(width=width, height=height, label=label) + "\n".join([*arrows, *boxes, "</svg>\n"])


def _arrow(start: tuple[int, int], end: tuple[int, int]) -> str:
    """Straight down, out to the lane of what is imported, or down one's own lane and in to the column."""
    (x, y), (to_x, to_y) = start, end
    side = BOX[0] // 2 if to_x > x else -BOX[0] // 2
    if to_x == x:
        way = f"M{x} {y + BOX[1] // 2}V{to_y - BOX[1] // 2}"
    elif to_x < x:
        way = f"M{x + side} {y}H{to_x}V{to_y - BOX[1] // 2}"
    else:
        way = f"M{x} {y + BOX[1] // 2}V{to_y}H{to_x - side}"
    return f'<path class="arrow" marker-end="url(#tip)" d="{way}"/>'


def _box(room: str, x: int, y: int) -> str:
    told = ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text(encoding="utf-8"))) or ""
    left, top = x - BOX[0] // 2, y - BOX[1] // 2
    frame = f'<rect class="box" x="{left}" y="{top}" width="{BOX[0]}" height="{BOX[1]}" rx="4"/>'
    title = escape(told.partition("\n")[0])
    return f'<g><title>{title}</title>{frame}<text x="{x}" y="{y + 5}">{room}</text></g>'


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
