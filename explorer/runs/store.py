"""Run folders: a timeline on disk, written whole or not at all, so that nothing is lost."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from explorer.core.documents import (
    DocumentFormat,
    damaged,
    is_older,
    read_checked,
    read_document,
    read_whole,
    sha256,
    write_document,
)
from explorer.core.errors import BadInput
from explorer.core.files import read_regular, write_whole
from explorer.networks.load import RUN_NETWORK
from explorer.networks.network import Network, fingerprint, with_weights_of
from explorer.networks.surgery import prune
from explorer.networks.whole_shape import regrown
from explorer.runs import timeline_json
from explorer.runs.timeline import LONGEST_NAME, Timeline, removed_at, trained_at

FORM = DocumentFormat("pruning-explorer run", 3, without_digest=(2,))
FILE = "run.json"
WEIGHTS_FILES = "weights-*.safetensors"
SALIENCY = "saliency of what is left"  # beside the weights; no parameter can be called so
INTERACTIVE, BATCH = KINDS = ("interactive", "batch")
DIGITS = 64  # of the SHA-256 in the name of a file of weights; older versions have fewer, of something else


@dataclass(frozen=True)
class Run:
    """The contents of a run folder: the network, the images, the settings, and every state on the way."""

    network: Mapping[str, Any]  # how to open it again: {"source", "arch", "digest", ...}
    data: Mapping[str, Any]  # {"source", "seed", ...}
    timeline: Timeline | None = None  # None until the network as loaded has been measured
    settings: Mapping[str, Any] = field(default_factory=dict)
    finished: bool = True
    files: Mapping[str, str] = field(default_factory=dict)  # beside it -> SHA-256, but for weights, whose names say it
    kind: str = INTERACTIVE  # its steps are taken in the app; BATCH: it is taken to its end, and ends in a network file
    name: str = ""  # given by the user

    @property
    def states(self) -> Timeline:
        """The timeline of a run that has begun."""
        assert self.timeline is not None, "a run that has begun has measured states"
        return self.timeline


def holds_run(folder: Path) -> bool:
    """Whether there is a run, or what was one."""
    try:
        return os.path.lexists(folder / FILE)
    except ValueError:  # a name that no folder can have
        return False


def write_run(folder: Path, run: Run) -> Path:
    """Write the run's `run.json`. Raises BadInput if the folder can't be written."""
    content = {
        "kind": run.kind,
        "network": dict(run.network),
        "data": dict(run.data),
        "settings": dict(run.settings),
        "timeline": run.timeline and timeline_json.to_json(run.timeline),
        "finished": run.finished,
        "files": dict(run.files),
        "name": run.name,
    }
    return write_document(folder / FILE, FORM, content)


def read_run(folder: Path) -> Run:
    """The run of a folder. Raises BadInput if it holds none, or a damaged one.

    One of an older version gets the digests of the files that are there now.
    """
    path = folder / FILE
    content = read_document(path, FORM, f"{folder} is not a run folder: it holds no {FILE}.")
    older = is_older(content, FORM)
    network, data, settings = (content.get(key) for key in ("network", "data", "settings"))
    if not (isinstance(network, dict) and isinstance(data, dict) and isinstance(settings, dict)):
        raise damaged(path, "network, data and settings must be objects")
    timeline, finished = content.get("timeline"), content.get("finished", True)
    if not isinstance(finished, bool):
        raise damaged(path, "finished must be true or false")
    files = _of_fixed_names(folder) if older else content.get("files")
    if not (isinstance(files, dict) and all(isinstance(digest, str) for digest in files.values())):
        raise damaged(path, "files must name SHA-256 digests")
    kind = content.get("kind", BATCH if "splits" in data else INTERACTIVE)  # older versions do not say it
    if kind not in KINDS:
        raise damaged(path, f"kind must be one of {', '.join(KINDS)}")
    name = content.get("name", "")
    if not (isinstance(name, str) and len(name) <= LONGEST_NAME and name.isprintable()):
        raise damaged(path, f"name must be printable and have at most {LONGEST_NAME} letters")
    try:
        states = None if timeline is None else timeline_json.from_json(timeline)
    except BadInput as problem:
        raise damaged(path, f"its timeline: {problem}".rstrip(".")) from problem
    return Run(network, data, states, settings, finished, files, kind, name)


def _of_fixed_names(folder: Path) -> dict[str, str]:
    return digests(*(path for name in (RUN_NETWORK, "optimizer-*.safetensors") for path in sorted(folder.glob(name))))


def digests(*paths: Path) -> dict[str, str]:
    """The names of files -> their SHA-256, as they are now."""
    return {path.name: sha256(read_regular(path)) for path in paths}


def own_network(folder: Path, run: Run) -> bytes:
    """The file of the network that a run of the command line ended with; raises BadInput if it is gone or damaged."""
    return read_checked(folder / RUN_NETWORK, run.files.get(RUN_NETWORK))


def write_weights(folder: Path, network: Network, saliency: Tensor | None = None) -> str:
    """Write the weights of a state into the folder; the file's name there, which tells its SHA-256.

    saliency: (units,) what the updates said of the units left, for the ranking that comes next; kept with the weights.
    """
    tensors = {name: value.cpu().clone().contiguous() for name, value in network.module.state_dict().items()}
    if saliency is not None:
        tensors[SALIENCY] = saliency.cpu().contiguous()
    digest = fingerprint(network.arch, network.module, network.preprocessing)
    content = safetensors.torch.save(tensors, metadata={"digest": digest})
    return write_whole(folder / f"weights-{sha256(content)}.safetensors", content).name


def read_saliency(path: Path) -> Tensor | None:
    """The saliency that `write_weights` kept for the next ranking, if any. Raises BadInput if the file is damaged."""
    return _tensors(path)[0].get(SALIENCY)


def _tensors(path: Path) -> tuple[dict[str, Tensor], str]:
    """A file of weights, and the fingerprint of the network that they were written for."""
    digest = path.stem.removeprefix("weights-")
    content = read_checked(path, digest) if len(digest) == DIGITS else read_whole(path)
    try:
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        return safetensors.torch.load(content), header.get("__metadata__", {}).get("digest", "")
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise damaged(path, "it does not hold the weights of a state") from error


def drop_weights(folder: Path, before: Timeline, after: Timeline) -> None:
    """Delete weights that only states of `before` name; those that are being written, for a next state, stay."""
    for name in _named(before) - _named(after):
        (folder / name).unlink(missing_ok=True)


def _named(timeline: Timeline) -> set[str]:
    return {state.weights for state in timeline.states.values() if state.weights}


def drop_unnamed(folder: Path, timeline: Timeline) -> None:
    """Delete weights that no state names any more, and rests of writes that were cut off; for a run at rest."""
    named = _named(timeline)
    for path in (*folder.glob(WEIGHTS_FILES), *folder.glob(".*.tmp")):
        if path.name not in named:
            path.unlink(missing_ok=True)


def read_weights(path: Path, network: Network) -> Network:
    """A network of the same layers with the weights of a file. Raises BadInput if they are not those written."""
    tensors, digest = _tensors(path)
    module = copy.deepcopy(network.module)
    try:
        module.load_state_dict({name: value for name, value in tensors.items() if name != SALIENCY})
    except RuntimeError as error:
        raise damaged(path, "it does not hold the weights of the run's current state") from error
    found = with_weights_of(network, module)
    if found.digest != digest:
        raise damaged(path, "its weights are not those that were written")
    return found


@dataclass(frozen=True, eq=False)
class AtState:
    """A network at one state of a run, its weights read: pruned, or whole with gates to close."""

    loaded: Network
    removed: Tensor  # (units,) bool: the state's plan
    trained: Network  # with the last weights of their own on the way to the state; `loaded` where there are none
    before: Tensor  # (units,) bool: the units that are gone from `trained`

    def pruned(self) -> Network:
        """The pruned network, with its own weights, as it was measured."""
        left = self.removed[~self.before]
        return prune(self.trained, left) if left.any() else self.trained

    def whole(self) -> Network:
        """The network in its whole shape with the state's weights: the plan says which gates are closed."""
        return self.loaded if self.trained is self.loaded else regrown(self.loaded, self.trained, self.before)


def at_state(network: Network, timeline: Timeline, folder: Path, number: int | None = None) -> AtState:
    """A network, as loaded, at the current state of a run or at another.

    Raises BadInput if its weights were not kept.
    """
    trained, removed = trained_at(timeline, number), removed_at(timeline, network.units, number)
    if trained is None:
        return AtState(network, removed, network, torch.zeros_like(removed))
    name, before = timeline.states[trained].weights, removed_at(timeline, network.units, trained)
    if name is None:
        raise BadInput(f"The weights of state {trained} were not kept: it can be looked at, but not gone to.")
    return AtState(network, removed, read_weights(folder / name, prune(network, before)), before)


def pruned_at(network: Network, timeline: Timeline, folder: Path, number: int | None = None) -> Network:
    """The pruned network of the current state of a run, or of another; BadInput as `at_state`."""
    return at_state(network, timeline, folder, number).pruned()
