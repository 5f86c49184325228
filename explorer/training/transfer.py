"""Transfer: a network for one's own classes, started from weights trained on others and fine-tuned epoch by epoch."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from explorer.core.progress import Report, one_of, silent, staying
from explorer.data import Batches, Preprocessing, Splits
from explorer.evaluation.evaluate import evaluate
from explorer.evaluation.metrics import Metrics, metrics_of
from explorer.networks.architectures.families import build, input_shape_for, preprocessing_for
from explorer.networks.architectures.fitting import transferred
from explorer.networks.checkpoints.reading import Checkpoint
from explorer.networks.costs import measure_costs
from explorer.networks.load import assemble
from explorer.networks.network import Network, with_weights_of
from explorer.networks.units import none_removed
from explorer.training.finetune import OPTIMIZERS, Recipe, Span, Training, descend, minibatches

EPOCH_SEEDS = 1_000_003  # between the seeds of two epochs
State = dict[str, Tensor]  # an optimizer's tensors, by "place of the parameter.name"


def network_at_start(
    arch: str,
    checkpoint: Checkpoint | None,
    preprocessing: Preprocessing,
    classes: Sequence[str],
    *,
    trusted: bool = False,
    seed: int = 0,
) -> Network:
    """A network for these classes before any training: the checkpoint's weights under a new head, or all random."""
    note = ""
    if checkpoint is None:
        channels = len(preprocessing.mean)
        usual = channels == len(preprocessing_for(arch).mean)  # not every architecture lets one choose
        module = build(arch, len(classes), in_channels=None if usual else channels, trusted=trusted, seed=seed)
    else:
        module, note = transferred(arch, checkpoint, len(classes), trusted=trusted, seed=seed)
    shape = input_shape_for(arch, preprocessing)
    network = assemble(arch.partition(":")[2], arch, module, shape, preprocessing, classes)
    return replace(network, origin=" ".join(filter(None, (note, network.origin))))


@dataclass(frozen=True, eq=False)
class Epoch:
    """The state of fine-tuning after some epochs; 0 = the network as it started."""

    number: int
    network: Network
    optimizer: State
    metrics: Metrics  # on the validation images


def updates_of_an_epoch(finetuning: Batches, recipe: Recipe) -> int:
    """As many minibatches as the images fill, at least one."""
    return max(1, len(finetuning) // recipe.batch_size)


def epochs(
    network: Network,
    splits: Splits,
    count: int,
    training: Training,
    report: Report = silent,
    start: Epoch | None = None,
) -> Iterator[Epoch]:
    """The network as given, then after each of `count` epochs, measured on the validation images.

    splits: "finetune" and "validation". The schedule runs over all epochs. With `start`, an epoch that the same
    arguments gave before, only those after it: bit for bit the same on the same device and number of threads.
    Raises BadInput when the loss or a weight stops being finite.
    """
    finetuning, validation, recipe = splits["finetune"], splits["validation"], training.recipe
    per_epoch = updates_of_an_epoch(finetuning, recipe)
    if start is None:
        start = Epoch(0, network, {}, _measured(network, validation, staying(report, 0)))
        yield start
    module = copy.deepcopy(start.network.module).requires_grad_(True)
    optimizer = OPTIMIZERS[recipe.optimizer](module, recipe)
    restore_optimizer(optimizer, start.optimizer)
    for number in range(start.number + 1, count + 1):
        stream = minibatches(finetuning, recipe.batch_size, training.seed, (number - 1) * per_epoch)
        span = Span((number - 1) * per_epoch, number * per_epoch, count * per_epoch)
        of_epoch = replace(training, seed=training.seed + number * EPOCH_SEEDS, loss=network.loss)
        of_one_epoch = one_of(report, number - 1, count, f"epoch {number} of {count}")
        descend(module, optimizer, stream, span, of_epoch, of_one_epoch)
        found = with_weights_of(network, copy.deepcopy(module).requires_grad_(False))
        metrics = _measured(found, validation, staying(report, number / count))
        yield Epoch(number, found, optimizer_state(optimizer), metrics)


def _measured(network: Network, validation: Batches, report: Report) -> Metrics:
    return metrics_of(evaluate(network, validation, report=report), measure_costs(network), none_removed(network.units))


def optimizer_state(optimizer: torch.optim.Optimizer) -> State:
    """A copy of what the optimizer keeps for each parameter, momentum for example."""
    state = optimizer.state_dict()["state"]
    return {
        f"{place}.{name}": value.detach().cpu().clone()
        for place, values in state.items()
        for name, value in values.items()
        if value is not None
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, state: State) -> None:
    """Give an optimizer back the `optimizer_state` of another one of the same parameters."""
    found = optimizer.state_dict()
    for key, value in state.items():
        place, _, name = key.partition(".")
        found["state"].setdefault(int(place), {})[name] = value
    optimizer.load_state_dict(found)
