"""The control of a pruning run: its final shape, trained from fresh weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from explorer.cli.output import progress, warn
from explorer.cli.run_storage import stoppable
from explorer.cli.subject import Subject
from explorer.core.errors import BadInput
from explorer.pruning.settings import Settings
from explorer.runs import timeline
from explorer.runs.controls import control_of
from explorer.runs.run_folders import change_own_run, grow
from explorer.runs.store import Run
from explorer.training.finetune import Training


def check_control(options: Mapping[str, Any]) -> None:
    """Raise BadInput if a control is asked for that would not be trained."""
    if options["from_scratch"] and not (options["updates"] or options["scratch_updates"]):
        raise BadInput("--from-scratch has no number of updates: give --updates, or --scratch-updates.")


def controlled(subject: Subject, settings: Settings, run: Run, out: Path, options: Mapping[str, Any]) -> Run:
    """The finished run with the control that was asked for, if any; one that it holds already is not trained again."""
    states, network = run.states, subject.network
    updates = options["scratch_updates"] or timeline.updates_at(states) * options["from_scratch"]
    if not updates:
        if options["from_scratch"]:
            warn(
                "the result has had no updates, so nothing was trained from scratch; give a number with "
                "--scratch-updates."
            )
        return run
    recipe, seed, held = settings.recipe, settings.seed, states.state.scratch
    if held and (held.updates, held.settings) == (updates, {"recipe": asdict(recipe), "seed": seed}):
        return run
    removed = timeline.removed_at(states, network.units)
    splits = {name: subject.batches(name) for name in ("finetune", "validation")}
    with (
        stoppable(out, "the finished run: --resume trains its shape from scratch"),
        progress("Training the same shape from scratch") as report,
    ):
        found = control_of(network, removed, splits, updates, Training(recipe, seed), report)
    return grow(out, run, lambda held: timeline.control(held, held.current, found), change_own_run)
