"""The page to share: one HTML file with a run and its numbers inside, and the script that draws them; nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from explorer.core.errors import BadInput
from explorer.core.progress import Report, silent
from explorer.core.text import counted
from explorer.export.page_parts import document, page_styles, pairs, steps_table
from explorer.export.sharing.explored import Explored, measured_json, run_json
from explorer.networks.costs import FLOPS_CONVENTION
from explorer.runs.timeline import path

PARTS = Path(__file__).parent
STYLE = "page.css"
SCRIPTS = ("drawing.js", "timeline.js", "saliency.js", "oracle.js", "units.js", "page.js")
"""What the page's script is made of, in this order; each is read by people as it is, none is built."""


def page(explored: Explored, report: Report = silent) -> bytes:
    """The bytes of the file; the same for the same run. Raises BadInput if no state of the run has been measured."""
    if explored.run.timeline is None:
        raise BadInput("This run holds no measured state yet: there is nothing to share.")
    run, measured = run_json(explored), measured_json(explored, report)
    script = "".join((PARTS / name).read_text(encoding="utf-8") for name in SCRIPTS)
    style = (PARTS / STYLE).read_text(encoding="utf-8")
    parts = [
        _head(explored),
        (PARTS / "page.html").read_text(encoding="utf-8"),
        steps_table([explored.run.states.states[each] for each in path(explored.run.states)]),
        _origin(run, measured),
        _data("run", run),
        _data("measured", measured),
        f"<script>{script}</script>",
    ]
    title = f"{explored.network.name}: a network, explored"
    return document(title, "\n".join(parts), style=style, policy=_policy(page_styles(style), script))


def _policy(style: str, script: str) -> str:
    """Nothing is loaded from anywhere, and nothing runs but this script: whatever a name in the run may look like."""
    return (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; base-uri 'none'; "
        "form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _data(name: str, content: Mapping[str, Any]) -> str:
    """Values inside of the page: no text among them can end their element or begin another."""
    inert = json.dumps(content, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c").replace(">", "\\u003e")
    return f'<script type="application/json" id="{name}">{inert}</script>'


def _head(explored: Explored) -> str:
    network, states = explored.network, explored.run.states
    root, now = states.root.metrics, states.state.metrics
    measured = f"measured on {counted(root.images, 'validation image')}" if root.images else "not measured on images"
    return (
        f"<h1>{escape(network.name)}</h1><p>{escape(network.arch)}: {counted(root.units, 'unit')} in "
        f"{counted(len(network.units.layers), 'layer')}, {now.units:,} left at the end of the run; "
        f"{counted(len(states.states), 'state')}, {measured}. Made with Pruning Explorer; this file works "
        "without it, and offline.</p>"
    )


def _origin(run: Mapping[str, Any], measured: Mapping[str, Any]) -> str:
    told = {name: run[name] for name in ("kind", "network", "data", "settings")}
    said = f"<p>FLOPs: {escape(FLOPS_CONVENTION)}. Images: {escape(measured['preparation'])}.</p>"
    return pairs("Settings and origin", told) + said
