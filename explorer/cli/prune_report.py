"""The report at the end of the pruning command: a table for people, figures for scripts."""

from __future__ import annotations

from typing import Any

from explorer.cli.output import table
from explorer.cli.subject import Subject, stage_json
from explorer.data import Batches
from explorer.evaluation.metrics import NOT_MEASURED, Metrics, written
from explorer.networks.costs import FLOPS_CONVENTION
from explorer.pruning.plan import to_json
from explorer.pruning.selectors import SELECTORS
from explorer.pruning.settings import Settings
from explorer.runs.pruning_runs import newest_state, why_ended
from explorer.runs.stages import stage_at
from explorer.runs.store import Run
from explorer.runs.timeline import Timeline, removed_at

UNMEASURED = (
    "Of the weights alone: no image was looked at, and no loss or accuracy was measured. With --data they would be; "
    "other criteria, budgets and fine-tuning need it."
)


def results(subject: Subject, settings: Settings, run: Run) -> dict[str, Any]:
    """The part of the JSON that is about the pruning; "from_scratch" is null where no control was trained."""
    states = run.states
    before, after = (_figures(state.metrics) for state in (states.root, states.state))
    units, control = subject.network.units, states.state.scratch
    return {
        "before": before,
        "after": after,
        "removed": to_json(units, removed_at(states, units)),
        "ending": _ending(subject, settings, states),
        "from_scratch": control and {**_figures(control.metrics), "updates": control.updates, **control.settings},
    }


def settings_json(run: Run) -> dict[str, Any]:
    """The settings of the run, and the stage of its end."""
    return {**run.settings, **stage_json(stage_at(run.states))}


def _figures(metrics: Metrics) -> dict[str, Any]:
    """Loss and accuracy are null where there were no images; the latency is there where it was the goal."""
    names = ("units", "parameters", "flops", "loss", "accuracy")
    timed = {} if metrics.latency is None else {"latency": metrics.latency}
    return {name: getattr(metrics, name) for name in names} | timed


def _ending(subject: Subject, settings: Settings, states: Timeline) -> str:
    return why_ended(subject.costs, states, newest_state(states), settings)


def show(subject: Subject, settings: Settings, run: Run, validation: Batches | None) -> None:
    """Print the table, and what it was measured on, if there were images."""
    states = run.states
    control, steps = states.state.scratch, len(states.states) - 1
    rows = _rows(states.root.metrics, states.state.metrics)
    columns = ["What", "Before", "After", "Change"]
    if control:
        columns.append("From scratch")
        rows = [[*row, _of_control(str(row[0]), control.metrics)] for row in rows]
    title = f"{subject.network.name} pruned by {SELECTORS[settings.criterion].title}, {steps} steps"
    notes = [
        _ending(subject, settings, states),
        UNMEASURED
        if validation is None
        else f"Measured on {validation.describe()}, on {subject.network.device}, {stage_at(states)}.",
        f"FLOPs: {FLOPS_CONVENTION}.",
    ]
    if control:
        notes.append(
            f"From scratch: the same shape from fresh weights, after {control.updates} updates by the same recipe."
        )
    table(title, columns, rows, notes)


def _rows(before: Metrics, after: Metrics) -> list[list[object]]:
    rows: list[list[object]] = [
        ["Units", before.units, after.units, f"{after.units / before.units:.1%} left"],
        ["Parameters", before.parameters, after.parameters, f"{after.parameters / before.parameters:.1%} left"],
        ["MFLOPs", before.flops / 1e6, after.flops / 1e6, f"{after.flops / before.flops:.1%} left"],
        *_quality(before, after),
    ]
    if after.latency is not None:
        rows.insert(3, ["Latency", "100.0%", f"{after.latency:.1%}", f"{after.latency:.1%} left"])
    return rows


def _quality(before: Metrics, after: Metrics) -> list[list[object]]:
    if not before.images or not after.images:
        return [[what, NOT_MEASURED, NOT_MEASURED, "-"] for what in ("Loss, nats", "Accuracy")]
    (loss, accuracy), (loss_after, accuracy_after) = before.quality, after.quality
    gained = 100 * (accuracy_after - accuracy)
    return [
        ["Loss, nats", loss, loss_after, f"{loss_after - loss:+.4f}"],
        ["Accuracy", f"{accuracy:.2%}", f"{accuracy_after:.2%}", f"{gained:+.2f} points"],
    ]


def _of_control(what: str, metrics: Metrics) -> object:
    return {"Loss, nats": metrics.loss, "Accuracy": written(metrics.accuracy, ".2%")}.get(what)
