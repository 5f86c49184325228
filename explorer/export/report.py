"""The report export: one HTML page that opens anywhere, without a network, scripts or other files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import accumulate
from typing import Any

from explorer.core.palette import page_variables
from explorer.core.text import counted
from explorer.evaluation.metrics import NOT_MEASURED, written
from explorer.export.charts import ChartPoint, bars, curve
from explorer.export.contents import ExportContents
from explorer.export.page_style import STYLE
from explorer.export.proof import Verdict
from explorer.networks.costs import FLOPS_CONVENTION
from explorer.runs.stages import Stage, following
from explorer.runs.timeline import State


def render(contents: ExportContents) -> bytes:
    """The page's bytes."""
    manifest = contents.manifest
    parts = [
        _head(contents),
        _metrics(contents),
        _curves(contents.history),
        _widths(contents),
        _proof(contents.verdicts),
        _files(contents),
        _steps(contents.history),
        _pairs("Settings and origin", manifest.provenance),
    ]
    title, body = escape(f"{manifest.name}: pruning report"), "\n".join(filter(None, parts))
    page = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{page_variables()}{STYLE}</style></head>\n<body>\n{body}\n</body></html>\n"
    )
    return page.encode("utf-8", "replace")


def _head(contents: ExportContents) -> str:
    manifest = contents.manifest
    shape = " x ".join(map(str, manifest.input_shape))
    classes = ", ".join(manifest.classes[:20]) + (", ..." if len(manifest.classes) > 20 else "")
    return (
        f"<h1>{escape(manifest.name)}</h1><p>{escape(manifest.arch)}. Input {shape}; images are prepared so: "
        f"{escape(manifest.preprocessing.describe())}. {len(manifest.classes):,} classes: {escape(classes)}.</p>"
    )


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are HTML already."""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _folded(title: str, what: str, shown: str) -> str:
    """A part that opens when it is asked for."""
    return f"<h2>{title}</h2><details><summary>{escape(what)}</summary>{shown}</details>"


def _metrics(contents: ExportContents) -> str:
    before, after = (contents.manifest.metrics.get(side) for side in ("before", "after"))
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return ""
    rows = [_row(name, before, after) for name in _SHOWN if name in before and name in after]
    images = after.get("images")
    stage = f", {_stages(contents.history)[-1]}" if contents.history else ""
    caption = f"{_measured_on(images)}{stage}. " if isinstance(images, int) else ""
    table = _table(("", "Before", "After", "Left"), rows)
    return f"<h2>Before and after</h2>{table}<p>{caption}FLOPs: {escape(FLOPS_CONVENTION)}.</p>"


_SHOWN = {
    "units": ("Units", "{:,}"),
    "parameters": ("Parameters", "{:,}"),
    "flops": ("FLOPs of one image", "{:,}"),
    "loss": ("Loss, nats", "{:.4f}"),
    "accuracy": ("Accuracy", "{:.2%}"),
}


def _row(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    title, form = _SHOWN[name]
    values = [side[name] for side in (before, after)]
    if not all(isinstance(value, int | float) for value in values):
        return [title, *(NOT_MEASURED if value is None else "-" for value in values), ""]
    share = f"{values[1] / values[0]:.1%}" if isinstance(values[0], int) and values[0] else ""
    return [title, *(form.format(value) for value in values), share]


def _measured_on(images: int) -> str:
    return f"Loss and accuracy on {images:,} validation images" if images else f"Loss and accuracy {NOT_MEASURED}"


def _curves(history: Sequence[State]) -> str:
    if len(history) < 2 or any(state.metrics.loss is None for state in history):
        return ""
    accuracy, loss = (
        curve(title, _points(history, name), "FLOPs left", name == "accuracy")
        for title, name in (("Accuracy", "accuracy"), ("Loss, nats", "loss"))
    )
    return (
        f'<h2>On the way</h2><figure><div class="pair">{accuracy}{loss}</div><figcaption>Every state from the network '
        f"as loaded to this one, on {history[-1].metrics.images:,} validation images. Filled: after fine-tuning; open: "
        "before; open with a dot: pruned after fine-tuning, not fine-tuned since. Move the mouse over a "
        "mark to read which states it stands for.</figcaption></figure>"
    )


def _points(history: Sequence[State], name: str) -> list[ChartPoint]:
    """Each state right after its units went, and again after its fine-tuning if it had any."""
    whole, before, found = history[0].metrics.flops, Stage(), []
    for step, (state, stage) in enumerate(zip(history, _stages(history), strict=True)):
        twice = state.pruned and state.updates and state.removed
        measured = [(state.pruned, before.pruned, ", right after the units went")] if twice else []
        for metrics, at, when in [*measured, (state.metrics, stage, "")]:
            assert metrics is not None
            value, left = getattr(metrics, name), metrics.flops / whole
            text = f"{step}: {state.name or state.how}{when}: {value:.4g} with {left:.1%} of the FLOPs, {at}"
            found.append(ChartPoint(left, value, at.kind, text))
        before = stage
    return found


def _stages(history: Sequence[State]) -> list[Stage]:
    """The stage of each state on a way down from the network as loaded."""
    return list(accumulate(history, following, initial=Stage()))[1:]


def _widths(contents: ExportContents) -> str:
    layers = contents.manifest.layers
    if not layers:
        return ""
    drawn = bars([(layer.name, layer.width_after, layer.width_before) for layer in layers])
    kept = "The channels that each layer kept, by their original indices, are in manifest.json"
    return f"<h2>Layer widths</h2><figure>{drawn}<figcaption>{kept}.</figcaption></figure>"


def _proof(verdicts: Sequence[Verdict]) -> str:
    if not verdicts:
        return ""
    columns = ("File", "Proven", "Largest difference", "of the largest logit", "Same prediction", "Accuracy", "Allowed")
    table = _table(columns, [_verdict(verdict) for verdict in verdicts])
    seen = "images" if any(verdict.accuracy is not None for verdict in verdicts) else "random inputs"
    note = f"Each file was loaded by a fresh process and run on the {seen} of proof.safetensors."
    return f"<h2>Proof</h2>{table}<p>{note}</p>"


def _verdict(verdict: Verdict) -> list[str]:
    said = "yes" if verdict.ok else f'<span class="bad">no{escape(verdict.error and f": {verdict.error}")}</span>'
    numbers = (verdict.max_abs_difference, verdict.max_relative_difference, verdict.agreement, verdict.accuracy)
    forms = ("{:.2e}", "{:.2e}", "{:.1%}", "{:.1%}")
    cells = ["-" if n is None else form.format(n) for n, form in zip(numbers, forms, strict=True)]
    return [escape(verdict.path.name), said, *cells, f"{verdict.tolerance:.0e}"]


def _files(contents: ExportContents) -> str:
    shown = [
        f"<h3>{escape(file.name)}</h3><p>{file.size / 1e6:,.2f} MB: {escape(file.description)}.</p>"
        f"<pre>{escape(file.usage)}</pre>"
        for file in contents.written
    ]
    return f"<h2>Files, and how to load them</h2>{''.join(shown)}" if shown else ""


def _steps(history: Sequence[State]) -> str:
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
        for step, (state, stage) in enumerate(zip(history, _stages(history), strict=True))
    ]
    table = _table(("", "Step", "Units", "MFLOPs", "Loss, nats", "Accuracy", "Measured"), rows)
    return _folded("Steps", f"{counted(len(history) - 1, 'step')} from the network as loaded to this state", table)


def _pairs(title: str, values: Mapping[str, Any]) -> str:
    rows = [[escape(str(name)), escape(_plain(value))] for name, value in _flat(values)]
    return _folded(title, f"{len(rows):,} values", _table(("What", "Value"), rows)) if rows else ""


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
