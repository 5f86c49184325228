"""Run folders of the command line: what decides a run, making it step by step, and going on with a stopped one."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from explorer.cli.output import check_writable, progress, tell
from explorer.cli.subject import Subject
from explorer.core.errors import BadInput
from explorer.networks.graph.safetensors_file import write_network
from explorer.networks.load import RUN_NETWORK
from explorer.networks.units import gone
from explorer.pruning import procedure
from explorer.pruning.selectors import SELECTORS
from explorer.pruning.settings import UPDATES, Settings
from explorer.runs import run_folders, timeline
from explorer.runs.run_folders import Splits, held_run
from explorer.runs.store import (
    FILE,
    WEIGHTS_FILES,
    Run,
    digests,
    drop_unnamed,
    pruned_at,
    read_saliency,
    write_run,
    write_weights,
)
from explorer.runs.timeline import Timeline

IN_USE = "wait for it to end, or give another --out"


def check_out(out: Path, resume: bool) -> None:
    """Raise BadInput, before any work, where the folder can't take a run, or holds what a run would replace."""
    check_writable(out, "--out", folder=True)
    held = [path.name for name in (FILE, RUN_NETWORK, WEIGHTS_FILES) for path in sorted(out.glob(name))]
    if FILE in held and not resume:
        raise BadInput(f"--out {out} already holds a {FILE}: give another folder, or --resume to go on with that run.")
    if held and FILE not in held:
        raise BadInput(f"--out {out} already holds a {held[0]}, but no {FILE}: give another folder.")


def run_to_the_end(
    subject: Subject, settings: Settings, splits: Splits, out: Path, *, last_weights: bool = False
) -> Run:
    """The run that the folder holds, as it is if finished, else taken to its end; or a new one.

    last_weights: of the fine-tuned steps only the last one within all budgets keeps its weights.
    """
    asked = described(subject, json.loads(json.dumps(dataclasses.asdict(settings))), splits)
    held = held_run(out, asked)
    if held and held.timeline and held.finished:
        drop_unnamed(out, held.timeline)
        tell(f"{out} already holds this run, finished: nothing was done.")
        return held
    try:
        return _made(subject, settings, splits, asked, out, held, last_weights)
    except KeyboardInterrupt:
        if not (out / FILE).is_file():
            raise
        tell(f"Stopped; {out} holds the steps so far: --resume goes on with them.")
        sys.exit(1)


def described(subject: Subject, settings: Mapping[str, Any], splits: Splits) -> Run:
    """The run before its first step: all that decides what becomes of it."""
    where = {"network_from": subject.request.network, "images_from": subject.images_from}
    return run_folders.described(subject.network, splits, settings, **where)


def _made(
    subject: Subject, settings: Settings, splits: Splits, asked: Run, out: Path, held: Run | None, last_weights: bool
) -> Run:
    """Run the procedure, or go on with the unfinished run `held`; every step is kept before the next one starts.

    The network is written before the run is called finished.
    """
    start = _stopped_at(subject, settings, out, held) if held else None
    states, network = held.timeline if held else None, start.network if start else subject.network
    steps = iter(()) if states and _went_beyond(states) else _steps(subject, settings, splits, start)
    for step in steps:
        states = timeline.start(step.metrics) if states is None else _grown(out, subject, states, step, settings)
        if settings.spent(step.metrics):
            states = timeline.back(states)
        else:
            network = step.network
        if last_weights:
            states = timeline.forget_weights(states, states.current)
        write_run(out, dataclasses.replace(asked, timeline=states, finished=False))
        if last_weights:
            drop_unnamed(out, states)
    assert states is not None, "the procedure yields the network as given"
    write_network(
        network,
        out / RUN_NETWORK,
        metrics={"before": dataclasses.asdict(states.root.metrics), "after": dataclasses.asdict(states.state.metrics)},
        provenance={"network": asked.network, "data": asked.data, "settings": asked.settings},
    )
    run = dataclasses.replace(asked, timeline=states, files=digests(out / RUN_NETWORK))
    write_run(out, run)
    return run


def _went_beyond(states: Timeline) -> bool:
    """Whether the last step spent a budget, so that none follows."""
    return max(states.states) != states.current


def _stopped_at(subject: Subject, settings: Settings, out: Path, held: Run) -> procedure.Step:
    """The step that an unfinished run stands at, with the network as it was then."""
    states = held.timeline
    assert states is not None, "a run that is asked for has measured states"
    removed, updates = timeline.removed_at(states, subject.network.units), timeline.updates_at(states)
    network, state = pruned_at(subject.network, states, out), states.state
    of_updates = settings.evidence == UPDATES and state.weights is not None
    saliency = read_saliency(out / str(state.weights)) if of_updates else None
    tell(f"{out} holds this run up to step {states.current}: going on from there.")
    drop_unnamed(out, states)
    return procedure.Step(states.current, network, removed, state.metrics, state.pruned, updates, saliency)


def _steps(
    subject: Subject, settings: Settings, splits: Splits, start: procedure.Step | None
) -> Iterator[procedure.Step]:
    with progress(f"Pruning by {SELECTORS[settings.criterion].title}") as report:
        calibration, validation = splits["calibration"], splits["validation"]
        finetune = splits.get("finetune", calibration)  # without updates nothing of it is read
        yield from procedure.iterate(subject.network, calibration, finetune, validation, settings, report, start)


def _grown(out: Path, subject: Subject, states: Timeline, step: procedure.Step, settings: Settings) -> Timeline:
    """The timeline with one more step; the weights that can't be had again by pruning are written first."""
    units = subject.network.units
    lost = gone(units, timeline.removed_at(states, units), step.removed)
    selector = SELECTORS[settings.criterion]
    scaling = f" ({settings.scaling})" if selector.scalable else ""
    how = f"{len(lost)} {'unit' if len(lost) == 1 else 'units'} by {selector.title}{scaling}"
    return timeline.step(
        states,
        timeline.State(
            parent=states.current,
            removed=lost,
            how=how + (f", {settings.updates} updates" if settings.updates else ""),
            metrics=step.metrics,
            pruned=step.pruned,
            updates=settings.updates,
            weights=write_weights(out, step.network, step.saliency) if settings.updates else None,
            settings=dataclasses.asdict(settings),
        ),
    )
