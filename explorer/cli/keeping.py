"""Run folders of the command line: what decides a run, making it, and knowing a finished one again."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path

from explorer import procedure, timeline
from explorer.cli.output import progress
from explorer.cli.subject import Subject, manifest_of, original_widths
from explorer.criteria import CRITERIA
from explorer.data import Batches
from explorer.errors import BadInput
from explorer.export.safetensors_file import write_network
from explorer.load import DEMO, RUN_NETWORK
from explorer.runs import Run, read_run, write_run
from explorer.timeline import Timeline

Splits = Mapping[str, Batches]


def describe_run(subject: Subject, settings: procedure.Settings, splits: Splits) -> Run:
    """The run before its first step: all that decides what becomes of it."""
    request, network, images = subject.request, subject.network, splits["validation"].images
    data = request.data or (str(subject.run.data["source"]) if subject.run else DEMO)
    return Run(
        network={
            "source": _whole_path(request.network),
            "name": network.name,
            "arch": network.arch,
            "digest": network.digest,
        },
        data={
            "source": _whole_path(data),
            "seed": images.seed,
            "digest": images.digest,
            "splits": {name: len(batches) for name, batches in splits.items()},
        },
        settings=dataclasses.asdict(settings),
    )


def _whole_path(where: str) -> str:
    path = Path(where).expanduser()
    return str(path.resolve()) if where != DEMO and path.exists() else where


def finished_run(out: Path, asked: Run) -> Run:
    """The run that a folder holds; BadInput where it is another one than was asked for."""
    run = read_run(out)
    held = _facts(run)
    for name, value in _facts(asked).items():
        if held.get(name) != value:
            raise BadInput(f"{out} holds a run with {name} {held.get(name)}, not {value}: give another --out.")
    if run.timeline is None:
        raise BadInput(f"{out} holds a run without any measured state: give another --out.")
    return run


def _facts(run: Run) -> dict[str, object]:
    parts = {"network": run.network.get("digest"), "data": run.data.get("digest"), "images": run.data.get("splits")}
    return {**parts, **run.settings}


def make_run(subject: Subject, settings: procedure.Settings, splits: Splits, asked: Run, out: Path) -> Run:
    """Run the procedure, then write the network, then the run, whose file says that all of it is there."""
    states: Timeline | None = None
    for step in _steps(subject, settings, splits):
        states = timeline.start(step.metrics) if states is None else _grown(states, step, settings)
    assert states is not None, "the procedure yields the network as given"
    run = dataclasses.replace(asked, timeline=states)
    write_network(
        step.network,
        out / RUN_NETWORK,
        original_widths=original_widths(subject.network, manifest_of(subject.request.network)),
        metrics={"before": dataclasses.asdict(states.root.metrics), "after": dataclasses.asdict(states.state.metrics)},
        provenance={"network": run.network, "data": run.data, "settings": run.settings},
    )
    write_run(out, run)
    return run


def _steps(subject: Subject, settings: procedure.Settings, splits: Splits) -> Iterator[procedure.Step]:
    with progress(f"Pruning by {CRITERIA[settings.criterion].title}") as report:
        calibration, validation = splits["calibration"], splits["validation"]
        finetune = splits.get("finetune", calibration)  # without updates nothing of it is read
        yield from procedure.iterate(subject.network, calibration, finetune, validation, settings, report)


def _grown(states: Timeline, step: procedure.Step, settings: procedure.Settings) -> Timeline:
    count = int(step.removed.sum()) - len(states.state.removed)
    how = f"{count} {'unit' if count == 1 else 'units'} by {CRITERIA[settings.criterion].title} ({settings.scaling})"
    how += f", {settings.updates} updates" if settings.updates else ""
    return timeline.step(states, step.removed, how, step.metrics)
