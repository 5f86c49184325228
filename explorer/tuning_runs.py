"""Run folders of fine-tuning: a state an epoch, going on with a stopped run, and the network at the end."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError

from explorer import timeline
from explorer.errors import BadInput
from explorer.export.files import write_whole
from explorer.export.safetensors_file import write_network
from explorer.finetune import Recipe
from explorer.load import RUN_NETWORK
from explorer.networks.network import Network
from explorer.plan import nothing
from explorer.progress import Report, silent
from explorer.run_folders import Splits, described, drop_leftovers, drop_weights
from explorer.runs import Run, read_weights, write_run, write_weights
from explorer.timeline import Timeline
from explorer.transfer import Epoch, epochs

MOMENTA = "optimizer-{}.safetensors"  # what the optimizer keeps after an epoch


def tuning_run(
    network: Network, splits: Splits, recipe: Recipe, count: int, *, network_from: str, images_from: str
) -> Run:
    """The run of fine-tuning for `count` epochs, before its first: all that decides what becomes of it."""
    settings = {**dataclasses.asdict(recipe), "epochs": count, "updates": count}
    return described(network, splits, settings, network_from=network_from, images_from=images_from)


def tuned(
    network: Network,
    splits: Splits,
    recipe: Recipe,
    asked: Run,
    folder: Path,
    held: Run | None,
    *,
    report: Report = silent,
) -> Iterator[Run]:
    """The run as the folder holds it after each epoch, and once more when it is finished and its network is written.

    It starts with the network as given, or goes on with the unfinished run `held`, of the same `asked`, after the last
    epoch that the folder holds; it ends as it would have ended without the stop.
    """
    epoch = start = _stopped_at(network, folder, held) if held else None
    states, seed, count = held.timeline if held else None, splits["finetune"].images.seed, asked.settings["epochs"]
    stream = epochs(
        network, splits["finetune"], splits["validation"], count, recipe, seed=seed, report=report, start=start
    )
    for epoch in stream:
        states = _grown(states, epoch)
        run = dataclasses.replace(asked, timeline=states, finished=False)
        _keep(folder, run, epoch)
        yield run
    assert states is not None and epoch is not None, "the first epoch is the network as it starts"
    yield _finish(folder, dataclasses.replace(asked, timeline=states), epoch)


def _grown(states: Timeline | None, epoch: Epoch) -> Timeline:
    if states is None:
        return timeline.start(epoch.metrics)
    return timeline.step(states, nothing(epoch.network.units), f"epoch {epoch.number}", epoch.metrics)


def _keep(folder: Path, run: Run, epoch: Epoch) -> None:
    """Write weights and momenta, then the run that names them; then the older ones go."""
    if epoch.number:
        write_whole(folder / MOMENTA.format(epoch.number), safetensors.torch.save(epoch.optimizer))
        run = dataclasses.replace(run, weights=write_weights(folder, epoch.number, epoch.network))
    write_run(folder, run)
    _drop(folder, epoch.number - 1)


def _drop(folder: Path, number: int) -> None:
    drop_weights(folder, number)
    (folder / MOMENTA.format(number)).unlink(missing_ok=True)


def _finish(folder: Path, run: Run, epoch: Epoch) -> Run:
    """The network is written before the run is called finished, and what going on would need goes after that."""
    write_network(
        epoch.network,
        folder / RUN_NETWORK,
        original_widths={layer.name: len(layer) for layer in epoch.network.units.layers},
        metrics={"after": dataclasses.asdict(epoch.metrics)},
        provenance={"network": run.network, "data": run.data, "settings": run.settings},
    )
    write_run(folder, run)
    _drop(folder, epoch.number)
    return run


def _stopped_at(network: Network, folder: Path, held: Run) -> Epoch:
    """The epoch that an unfinished run stands at."""
    assert held.timeline is not None, "a run that is asked for has measured states"
    number = held.timeline.current
    drop_leftovers(folder, number)
    for neighbour in (number - 1, number + 1):
        _drop(folder, neighbour)
    for half in folder.glob(f".{MOMENTA.format('*')}.*.tmp"):
        half.unlink()
    if not number:
        return Epoch(0, network, {}, held.timeline.state.metrics)
    try:
        momenta = safetensors.torch.load_file(folder / MOMENTA.format(number))
        network = read_weights(folder / str(held.weights), network)
    except (OSError, SafetensorError) as error:
        raise BadInput(f"{folder} is damaged: what the optimizer kept after epoch {number} can't be read.") from error
    return Epoch(number, network, momenta, held.timeline.state.metrics)
