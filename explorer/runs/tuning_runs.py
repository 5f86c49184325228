"""Fine-tuning runs: their start, a state an epoch, going on after a stop, and the network at the end."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import safetensors.torch
from safetensors import SafetensorError

from explorer.core.device import choose
from explorer.core.documents import damaged, read_checked
from explorer.core.errors import BadInput
from explorer.core.files import write_whole
from explorer.core.progress import Report, silent
from explorer.data import ImageSet, Splits, open_images
from explorer.networks.architectures.families import preprocessing_for
from explorer.networks.architectures.pretrained import imagenet
from explorer.networks.checkpoints.reading import Checkpoint
from explorer.networks.graph.safetensors_file import to_bytes
from explorer.networks.load import RUN_NETWORK
from explorer.networks.network import Network
from explorer.networks.preparation import sized
from explorer.runs import timeline
from explorer.runs.run_folders import described, held_run
from explorer.runs.store import Run, digests, drop_unnamed, pruned_at, write_run, write_weights
from explorer.runs.timeline import Timeline
from explorer.runs.tunings import Tuning
from explorer.training.finetune import IMAGENET, NONE, Recipe, Training, recipe_from
from explorer.training.transfer import Epoch, epochs, network_at_start, updates_of_an_epoch

MOMENTA = "optimizer-{}.safetensors"  # the optimizer's tensors after an epoch


def start_of(
    tuning: Tuning,
    own: Callable[[str], Checkpoint],
    *,
    device: str = "cpu",
    download: bool = False,
    trusted: bool = False,
) -> tuple[Network, ImageSet]:
    """The network that a fine-tuning starts with, its head for the classes of the images, and these images.

    own: reads the weights that are neither published nor none. trusted: whether the architecture may be one's own
    factory. Raises BadInput if one of them can't be opened, or they don't fit together.
    """
    where, preprocessing = choose(device), tuning.changes.apply(preprocessing_for(tuning.arch))
    images = open_images(tuning.data, seed=tuning.seed, download=download, clips=preprocessing.clips)
    preprocessing = sized(tuning.arch, preprocessing, images)
    checkpoint = None
    if tuning.weights != NONE:
        checkpoint = imagenet(tuning.arch) if tuning.weights == IMAGENET else own(tuning.weights)
    network = network_at_start(
        tuning.arch, checkpoint, preprocessing, images.classes, trusted=trusted, seed=tuning.seed
    )
    return network.to(where), images


def tuning_run(
    network: Network, splits: Splits, recipe: Recipe, count: int, *, network_from: str, images_from: str | None
) -> Run:
    """The run of fine-tuning for `count` epochs, before its first: all that decides what becomes of it."""
    settings = {**dataclasses.asdict(recipe), "epochs": count, "updates": count}
    return described(network, splits, settings, network_from=network_from, images_from=images_from)


def tuned(
    network: Network,
    splits: Splits,
    asked: Run,
    folder: Path,
    remedy: str,
    report: Report = silent,
) -> Iterator[Run]:
    """The run as the folder holds it at first, after each epoch, and when it is finished and its network is written.

    It starts with the network as given, or goes on after the last epoch that the folder holds of the run that was
    `asked` for, and ends as it would have ended without the stop; one that is finished stays as it is. The caller has
    the folder alone. BadInput, with the remedy, where the folder holds another run.
    """
    held = held_run(folder, asked, remedy)
    epoch = start = _stopped_at(network, folder, held) if held and not held.finished else None
    if held:
        yield held
    if held and held.finished:
        return
    states, count = held.timeline if held else None, asked.settings["epochs"]
    training = Training(recipe_from(asked.settings), splits["finetune"].images.seed)
    updates = updates_of_an_epoch(splits["finetune"], training.recipe)
    for epoch in epochs(network, splits, count, training, report, start):
        states = _keep(folder, asked, states, epoch, updates)
        yield dataclasses.replace(asked, timeline=states, finished=False)
    assert epoch is not None, "the first epoch is the network as it starts"
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
    own = write_whole(folder / RUN_NETWORK, _written(run, epoch))
    states = timeline.forget_weights(run.states, kept=None)  # the network's own file has them
    run = dataclasses.replace(run, timeline=states, files=digests(own))
    write_run(folder, run)
    _drop(folder, states, epoch.number)
    return run


def _written(run: Run, epoch: Epoch) -> bytes:
    """The network as an export; of one that can't be exported the weights, which --arch opens as a checkpoint."""
    metrics = {"after": dataclasses.asdict(epoch.metrics)}
    provenance = {"network": run.network, "data": run.data, "settings": run.settings}
    try:
        return to_bytes(epoch.network, metrics=metrics, provenance=provenance)
    except BadInput:
        weights = epoch.network.module.state_dict()
        return safetensors.torch.save({name: value.cpu().clone().contiguous() for name, value in weights.items()})


def _stopped_at(network: Network, folder: Path, held: Run) -> Epoch:
    """The epoch that an unfinished run stands at."""
    number = held.states.current
    for neighbour in (number - 1, number + 1):
        _drop(folder, held.states, neighbour)
    if not number:
        return Epoch(0, network, {}, held.states.state.metrics)
    path = folder / MOMENTA.format(number)
    try:
        momenta = safetensors.torch.load(read_checked(path, held.files.get(path.name)))
    except SafetensorError as error:
        raise damaged(path, f"it does not hold what the optimizer kept after epoch {number}") from error
    return Epoch(number, pruned_at(network, held.states, folder), momenta, held.states.state.metrics)
