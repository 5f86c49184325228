"""Parts of the pages that are files of their own, the report and the page to share: each is HTML, names are inert."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import accumulate
from typing import Any

from explorer.core.palette import page_variables
from explorer.core.text import counted
from explorer.evaluation.metrics import written
from explorer.export.page_style import STYLE
from explorer.runs.stages import Stage, following
from explorer.runs.timeline import State


def document(title: str, body: str, *, style: str = "", policy: str = "") -> bytes:
    """A whole page. title: any text; style: CSS beside that of every page; policy: of what it may load and run."""
    content = f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">' if policy else ""
    page = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">{content}<title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{page_styles(style)}</style></head>\n<body>\n{body}\n</body></html>\n"
    )
    return page.encode("utf-8", "replace")


def page_styles(more: str = "") -> str:
    """The CSS of every page, and more."""
    return f"{page_variables()}{STYLE}{more}"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are HTML already."""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def folded(title: str, what: str, shown: str) -> str:
    """A part that opens when it is asked for."""
    return f"<h2>{title}</h2><details><summary>{escape(what)}</summary>{shown}</details>"


def stages_of(history: Sequence[State]) -> list[Stage]:
    """The stage of each state on a way down from the network as loaded."""
    return list(accumulate(history, following, initial=Stage()))[1:]


def steps_table(history: Sequence[State]) -> str:
    """The states on a way down from the network as loaded, one a row; folded."""
    if len(history) < 2:
        return ""
    rows = [
        [
            str(step),
            escape(state.name or state.how),
            f"{state.metrics.units:,}",
            f"{state.metrics.flops / 1e6:,.1f}",
            written(state.metrics.loss, ".4f"),
            written(state.metrics.accuracy, ".2%"),
            str(stage),
        ]
        for step, (state, stage) in enumerate(zip(history, stages_of(history), strict=True))
    ]
    shown = table(("", "Step", "Units", "MFLOPs", "Loss, nats", "Accuracy", "Measured"), rows)
    return folded("Steps", f"{counted(len(history) - 1, 'step')} from the network as loaded to this state", shown)


def pairs(title: str, values: Mapping[str, Any]) -> str:
    """Names and values, what is nested by its path; folded."""
    rows = [[escape(str(name)), escape(_plain(value))] for name, value in _flat(values)]
    return folded(title, f"{len(rows):,} values", table(("What", "Value"), rows)) if rows else ""


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
