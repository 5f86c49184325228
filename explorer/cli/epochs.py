"""Run folders of fine-tuning: a state an epoch, and going on with a stopped run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import click
import safetensors.torch
from safetensors import SafetensorError

from explorer import timeline
from explorer.cli.keeping import Splits, described, drop_leftovers, drop_weights, held_run
from explorer.cli.output import progress
from explorer.cli.subject import Subject
from explorer.errors import BadInput
from explorer.export.files import write_whole
from explorer.export.safetensors_file import write_network
from explorer.finetune import Recipe
from explorer.load import RUN_NETWORK
from explorer.plan import nothing
from explorer.runs import Run, read_weights, write_run, write_weights
from explorer.timeline import Timeline
from explorer.transfer import Epoch, epochs

MOMENTA = "optimizer-{}.safetensors"  # what the optimizer keeps after an epoch


def train_to_the_end(subject: Subject, splits: Splits, recipe: Recipe, count: int, out: Path) -> Run:
    """The run that the folder holds, as it is if finished, else taken to its end; or a new one."""
    asked = described(subject, {**dataclasses.asdict(recipe), "epochs": count, "updates": count}, splits)
    held = held_run(out, asked)
    if held and held.finished:
        click.echo(f"{out} already holds this run, finished: nothing was done.", err=True)
        return held
    start, states = _stopped_at(subject, out, held) if held else None, held.timeline if held else None
    epoch = start
    with progress("Fine-tuning") as report:
        for epoch in epochs(
            subject.network, splits["finetune"], splits["validation"], count, recipe,
            seed=subject.seed, report=report, start=start,
        ):  # fmt: skip
            states = _grown(states, epoch)
            _keep(out, dataclasses.replace(asked, timeline=states, finished=False), epoch)
    assert states is not None and epoch is not None, "the first epoch is the network as it starts"
    return _finish(out, dataclasses.replace(asked, timeline=states), epoch)


def _grown(states: Timeline | None, epoch: Epoch) -> Timeline:
    if states is None:
        return timeline.start(epoch.metrics)
    return timeline.step(states, nothing(epoch.network.units), f"epoch {epoch.number}", epoch.metrics)


def _keep(out: Path, run: Run, epoch: Epoch) -> None:
    """Write weights and momenta, then the run that names them; then the older ones go."""
    if epoch.number:
        write_whole(out / MOMENTA.format(epoch.number), safetensors.torch.save(epoch.optimizer))
        run = dataclasses.replace(run, weights=write_weights(out, epoch.number, epoch.network))
    write_run(out, run)
    _drop(out, epoch.number - 1)


def _drop(out: Path, number: int) -> None:
    drop_weights(out, number)
    (out / MOMENTA.format(number)).unlink(missing_ok=True)


def _finish(out: Path, run: Run, epoch: Epoch) -> Run:
    """The network is written before the run is called finished, and what going on would need goes after that."""
    widths: Mapping[str, int] = {layer.name: len(layer) for layer in epoch.network.units.layers}
    write_network(
        epoch.network,
        out / RUN_NETWORK,
        original_widths=widths,
        metrics={"after": dataclasses.asdict(epoch.metrics)},
        provenance={"network": run.network, "data": run.data, "settings": run.settings},
    )
    write_run(out, run)
    _drop(out, epoch.number)
    return run


def _stopped_at(subject: Subject, out: Path, held: Run) -> Epoch:
    """The epoch that an unfinished run stands at."""
    assert held.timeline is not None, "a run that is asked for has measured states"
    number = held.timeline.current
    click.echo(f"{out} holds this run up to epoch {number}: going on from there.", err=True)
    drop_leftovers(out, number)
    _drop(out, number + 1)
    if not number:
        return Epoch(0, subject.network, {}, held.timeline.state.metrics)
    try:
        momenta = safetensors.torch.load_file(out / MOMENTA.format(number))
        network = read_weights(out / str(held.weights), subject.network)
    except (OSError, SafetensorError) as error:
        raise BadInput(f"{out} is damaged: what the optimizer kept after epoch {number} can't be read.") from error
    return Epoch(number, network, momenta, held.timeline.state.metrics)
