"""Run folders of fine-tuning: a state an epoch, going on with a stopped run, and the network at the end."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError

from explorer.core.documents import damaged, read_checked
from explorer.core.files import write_whole
from explorer.core.progress import Report, silent
from explorer.data import Splits
from explorer.networks.graph.safetensors_file import write_network
from explorer.networks.load import RUN_NETWORK
from explorer.networks.network import Network
from explorer.runs import timeline
from explorer.runs.run_folders import described
from explorer.runs.store import Run, digests, drop_unnamed, pruned_at, write_run, write_weights
from explorer.runs.timeline import Timeline
from explorer.training.finetune import Recipe, Training, recipe_from
from explorer.training.transfer import Epoch, epochs, updates_of_an_epoch

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
    asked: Run,
    folder: Path,
    held: Run | None,
    report: Report = silent,
) -> Iterator[Run]:
    """The run as the folder holds it after each epoch, and once more when it is finished and its network is written.

    It starts with the network as given, or goes on with the unfinished run `held`, of the same `asked`, after the last
    epoch that the folder holds; it ends as it would have ended without the stop.
    """
    epoch = start = _stopped_at(network, folder, held) if held else None
    states, count = held.timeline if held else None, asked.settings["epochs"]
    training = Training(recipe_from(asked.settings), splits["finetune"].images.seed)
    updates = updates_of_an_epoch(splits["finetune"], training.recipe)
    for epoch in epochs(network, splits, count, training, report, start):
        states = _keep(folder, asked, states, epoch, updates)
        yield dataclasses.replace(asked, timeline=states, finished=False)
    assert states is not None and epoch is not None, "the first epoch is the network as it starts"
    yield _finish(folder, dataclasses.replace(asked, timeline=states), epoch)


def _keep(folder: Path, asked: Run, states: Timeline | None, epoch: Epoch, updates: int) -> Timeline:
    """Write weights and momenta, then the run that names them; then the older ones go."""
    files = {}
    if states is None:
        grown = timeline.start(epoch.metrics)
    else:
        files = digests(write_whole(folder / MOMENTA.format(epoch.number), safetensors.torch.save(epoch.optimizer)))
        weights = write_weights(folder, epoch.network)
        how, before = f"epoch {epoch.number}", states.state.metrics
        state = timeline.State(states.current, (), how, epoch.metrics, before, updates, weights)
        grown = timeline.step(states, state)
        grown = timeline.forget_weights(grown, kept=grown.current)
    write_run(folder, dataclasses.replace(asked, timeline=grown, finished=False, files=files))
    _drop(folder, grown, epoch.number - 1)
    return grown


def _drop(folder: Path, states: Timeline, number: int) -> None:
    """Delete what only an older epoch needed."""
    drop_unnamed(folder, states)
    (folder / MOMENTA.format(number)).unlink(missing_ok=True)


def _finish(folder: Path, run: Run, epoch: Epoch) -> Run:
    """The network is written before the run is called finished, and what going on would need goes after that."""
    assert run.timeline is not None, "the first epoch is the network as it starts"
    own = write_network(
        epoch.network,
        folder / RUN_NETWORK,
        metrics={"after": dataclasses.asdict(epoch.metrics)},
        provenance={"network": run.network, "data": run.data, "settings": run.settings},
    )
    states = timeline.forget_weights(run.timeline, kept=None)  # the network's own file has them
    run = dataclasses.replace(run, timeline=states, files=digests(own))
    write_run(folder, run)
    _drop(folder, states, epoch.number)
    return run


def _stopped_at(network: Network, folder: Path, held: Run) -> Epoch:
    """The epoch that an unfinished run stands at."""
    assert held.timeline is not None, "a run that is asked for has measured states"
    number = held.timeline.current
    for neighbour in (number - 1, number + 1):
        _drop(folder, held.timeline, neighbour)
    if not number:
        return Epoch(0, network, {}, held.timeline.state.metrics)
    path = folder / MOMENTA.format(number)
    try:
        momenta = safetensors.torch.load(read_checked(path, held.files.get(path.name)))
    except SafetensorError as error:
        raise damaged(path, f"it does not hold what the optimizer kept after epoch {number}") from error
    return Epoch(number, pruned_at(network, held.timeline, folder), momenta, held.timeline.state.metrics)
