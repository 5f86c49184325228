"""The report export: one HTML page that opens anywhere, without a network, scripts or other files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from explorer.evaluation.metrics import NOT_MEASURED
from explorer.export.charts import ChartPoint, bars, curve
from explorer.export.contents import ExportContents
from explorer.export.page_parts import document, pairs, stages_of, steps_table, table
from explorer.export.proof import Verdict
from explorer.networks.costs import FLOPS_CONVENTION
from explorer.runs.stages import Stage
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
        steps_table(contents.history),
        pairs("Settings and origin", manifest.provenance),
    ]
    return document(f"{manifest.name}: pruning report", "\n".join(filter(None, parts)))


def _head(contents: ExportContents) -> str:
    manifest = contents.manifest
    shape = " x ".join(map(str, manifest.input_shape))
    classes = ", ".join(manifest.classes[:20]) + (", ..." if len(manifest.classes) > 20 else "")
    return (
        f"<h1>{escape(manifest.name)}</h1><p>{escape(manifest.arch)}. Input {shape}; images are prepared so: "
        f"{escape(manifest.preprocessing.describe())}. {len(manifest.classes):,} classes: {escape(classes)}.</p>"
    )


def _metrics(contents: ExportContents) -> str:
    before, after = (contents.manifest.metrics.get(side) for side in ("before", "after"))
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return ""
    rows = [_row(name, before, after) for name in _SHOWN if name in before and name in after]
    images = after.get("images")
    stage = f", {stages_of(contents.history)[-1]}" if contents.history else ""
    caption = f"{_measured_on(images)}{stage}. " if isinstance(images, int) else ""
    shown = table(("", "Before", "After", "Left"), rows)
    return f"<h2>Before and after</h2>{shown}<p>{caption}FLOPs: {escape(FLOPS_CONVENTION)}.</p>"


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
    for step, (state, stage) in enumerate(zip(history, stages_of(history), strict=True)):
        twice = state.pruned and state.updates and state.removed
        measured = [(state.pruned, before.pruned, ", right after the units went")] if twice else []
        for metrics, at, when in [*measured, (state.metrics, stage, "")]:
            assert metrics is not None
            value, left = getattr(metrics, name), metrics.flops / whole
            text = f"{step}: {state.name or state.how}{when}: {value:.4g} with {left:.1%} of the FLOPs, {at}"
            found.append(ChartPoint(left, value, at.kind, text))
        before = stage
    return found


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
    shown = table(columns, [_verdict(verdict) for verdict in verdicts])
    seen = "images" if any(verdict.accuracy is not None for verdict in verdicts) else "random inputs"
    note = f"Each file was loaded by a fresh process and run on the {seen} of proof.safetensors."
    return f"<h2>Proof</h2>{shown}<p>{note}</p>"


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
