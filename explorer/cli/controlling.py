"""The control of a pruning run: its final shape, trained from fresh weights."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from explorer.cli.output import progress, tell, warn
from explorer.cli.subject import Subject
from explorer.core.errors import BadInput
from explorer.evaluation.evaluate import evaluate
from explorer.evaluation.metrics import Metrics, metrics_of
from explorer.pruning.settings import Settings
from explorer.runs import timeline
from explorer.runs.store import Run, pruned_at, write_run
from explorer.runs.timeline import Scratch, Timeline
from explorer.training import scratch


def check_control(options: Mapping[str, Any]) -> None:
    """Raise BadInput where a control is asked for that would not be trained."""
    if options["from_scratch"] and not (options["updates"] or options["scratch_updates"]):
        raise BadInput("--from-scratch has no number of updates: give --updates, or --scratch-updates.")


def controlled(subject: Subject, settings: Settings, run: Run, out: Path, options: Mapping[str, Any]) -> Run:
    """The finished run with the control that was asked for, if any; one that it holds already is not trained again."""
    states = run.timeline
    assert states is not None, "a finished run has one"
    updates = options["scratch_updates"] or timeline.updates_at(states) * options["from_scratch"]
    if not updates:
        if options["from_scratch"]:
            warn("the result has had no updates, so nothing was trained from scratch; --scratch-updates says how many.")
        return run
    asked = {"recipe": dataclasses.asdict(settings.recipe), "seed": settings.seed}
    held = states.state.scratch
    if held and (held.updates, held.settings) == (updates, asked):
        return run
    try:
        found = Scratch(_measured(subject, settings, states, out, updates), updates, asked)
    except KeyboardInterrupt:
        tell(f"Stopped; {out} holds the finished run: --resume trains its shape from scratch.")
        sys.exit(1)
    run = dataclasses.replace(run, timeline=timeline.control(states, states.current, found))
    write_run(out, run)
    return run


def _measured(subject: Subject, settings: Settings, states: Timeline, out: Path, updates: int) -> Metrics:
    shape = pruned_at(subject.network, states, out)
    with progress("Training the same shape from scratch") as report:
        trained = scratch.trained(
            shape, subject.batches("finetune"), updates, settings.recipe,
            seed=settings.seed, report=report, teacher=subject.network.module,
        )  # fmt: skip
        outcome = evaluate(trained, subject.batches("validation"), report=report)
    return metrics_of(outcome, subject.costs, timeline.removed_at(states, subject.network.units))
