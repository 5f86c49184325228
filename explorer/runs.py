"""Run folders: a timeline on disk, written whole or not at all, so that nothing is lost."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

from explorer import timeline_json
from explorer.errors import BadInput
from explorer.export.files import read_document, write_whole
from explorer.networks.network import Network, fingerprint, with_weights_of
from explorer.regrowth import regrown
from explorer.surgery import prune
from explorer.timeline import Timeline, removed_at, trained_at

FORMAT = "pruning-explorer run 2"
FILE = "run.json"
WEIGHTS_FILES = "weights-*.safetensors"
SALIENCY = "saliency of what is left"  # beside the weights; no parameter can be called so


@dataclass(frozen=True)
class Run:
    """What a run folder says: what was pruned, on which images, how, and every state on the way."""

    network: Mapping[str, Any]  # how to open it again: {"source", "arch", "digest", ...}
    data: Mapping[str, Any]  # {"source", "seed", ...}
    timeline: Timeline | None = None  # None until the network as loaded has been measured
    settings: Mapping[str, Any] = field(default_factory=dict)
    finished: bool = True


def write_run(folder: Path, run: Run) -> Path:
    """Write the run's `run.json`; raises BadInput where the folder can't be written."""
    content = {
        "format": FORMAT,
        "network": dict(run.network),
        "data": dict(run.data),
        "settings": dict(run.settings),
        "timeline": run.timeline and timeline_json.to_json(run.timeline),
        "finished": run.finished,
    }
    return write_whole(folder / FILE, json.dumps(content, indent=1).encode())


def read_run(folder: Path) -> Run:
    """The run of a folder; raises BadInput where it holds none, or a damaged one."""
    path = folder / FILE
    content = read_document(path, FORMAT, f"{folder} is not a run folder: it holds no {FILE}.")
    network, data, settings = (content.get(key) for key in ("network", "data", "settings"))
    if not (isinstance(network, dict) and isinstance(data, dict) and isinstance(settings, dict)):
        raise BadInput(f"{path} is damaged: network, data and settings must be objects.")
    timeline, finished = content.get("timeline"), content.get("finished", True)
    if not isinstance(finished, bool):
        raise BadInput(f"{path} is damaged: finished must be true or false.")
    states = None if timeline is None else timeline_json.from_json(timeline)
    return Run(network, data, states, settings, finished)


def write_weights(folder: Path, network: Network, saliency: Tensor | None = None) -> str:
    """Write the weights of a state into the folder; the file's name there, which tells their content.

    saliency: (units,) what the updates said of the units left, for the ranking that comes next; kept with the weights.
    """
    tensors = {name: value.cpu().clone().contiguous() for name, value in network.module.state_dict().items()}
    digest = fingerprint(network.arch, network.module, network.preprocessing)
    name = f"weights-{digest[:16]}"
    if saliency is not None:
        tensors[SALIENCY] = saliency.cpu().contiguous()
        name += f"-{hashlib.sha256(tensors[SALIENCY].numpy().tobytes()).hexdigest()[:8]}"
    content = safetensors.torch.save(tensors, metadata={"digest": digest})
    return write_whole(folder / f"{name}.safetensors", content).name


def read_saliency(path: Path) -> Tensor | None:
    """What `write_weights` kept for the next ranking, if anything; raises BadInput where the file is damaged."""
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            return file.get_tensor(SALIENCY) if SALIENCY in file.keys() else None  # noqa: SIM118
    except (OSError, SafetensorError) as error:
        raise BadInput(f"{path} is damaged: it does not hold what the next ranking needs.") from error


def drop_weights(folder: Path, before: Timeline, after: Timeline) -> None:
    """Delete weights that only states of `before` name; those that somebody is just writing, for a next state, stay."""
    for name in _named(before) - _named(after):
        (folder / name).unlink(missing_ok=True)


def _named(timeline: Timeline) -> set[str]:
    return {state.weights for state in timeline.states.values() if state.weights}


def drop_unnamed(folder: Path, timeline: Timeline) -> None:
    """Delete weights that no state names any more, and what writes that were cut off left; of a run at rest."""
    named = _named(timeline)
    for path in (*folder.glob(WEIGHTS_FILES), *folder.glob(".*.tmp")):
        if path.name not in named:
            path.unlink(missing_ok=True)


def read_weights(path: Path, network: Network) -> Network:
    """A network of the same layers with the weights of a file; raises BadInput where they are not those written."""
    module = copy.deepcopy(network.module)
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            digest = (file.metadata() or {}).get("digest")
            names = [name for name in file.keys() if name != SALIENCY]  # noqa: SIM118
            module.load_state_dict({name: file.get_tensor(name) for name in names})
    except (OSError, SafetensorError, RuntimeError) as error:
        raise BadInput(f"{path} is damaged: it does not hold the weights of the run's current state.") from error
    found = with_weights_of(network, module)
    if found.digest != digest:
        raise BadInput(f"{path} is damaged: its weights are not those that were written.")
    return found


def pruned_at(network: Network, timeline: Timeline, folder: Path, number: int | None = None) -> Network:
    """The pruned network of the current state of a run, or of another, with its own weights, as it was measured.

    network: as loaded. BadInput where the weights were not kept.
    """
    removed = removed_at(timeline, network.units, number)
    trained = trained_at(timeline, number)
    if trained is None:
        return prune(network, removed) if removed.any() else network
    before, at_weights = _trained(network, timeline, folder, trained)
    left = removed[~before]
    return prune(at_weights, left) if left.any() else at_weights


def network_at(network: Network, timeline: Timeline, folder: Path, number: int | None = None) -> Network:
    """The network as loaded, with the weights that it has at the current state of a run, or at another.

    It keeps its whole shape: the state's plan says which gates are closed. BadInput where the weights were not kept.
    """
    trained = trained_at(timeline, number)
    if trained is None:
        return network
    removed, pruned = _trained(network, timeline, folder, trained)
    return regrown(network, pruned, removed)


def _trained(network: Network, timeline: Timeline, folder: Path, number: int) -> tuple[Tensor, Network]:
    """The plan of a state with weights of its own, and the pruned network with these."""
    name, removed = timeline.states[number].weights, removed_at(timeline, network.units, number)
    if name is None or not (folder / name).is_file():
        raise BadInput(f"The weights of state {number} were not kept: it can be looked at, but not gone to.")
    return removed, read_weights(folder / name, prune(network, removed))
