"""Run folders: a timeline on disk, written whole or not at all, so that nothing is lost."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
from safetensors import SafetensorError

from explorer import timeline as timelines
from explorer.errors import BadInput
from explorer.export.files import write_whole
from explorer.networks.network import Network, fingerprint, with_weights_of
from explorer.timeline import Timeline

FORMAT = "pruning-explorer run 1"
FILE = "run.json"
WEIGHTS = re.compile(r"[\w-]{1,80}\.safetensors", re.ASCII)


@dataclass(frozen=True)
class Run:
    """What a run folder says: what was pruned, on which images, how, and every state on the way."""

    network: Mapping[str, Any]  # how to open it again: {"source", "arch", "digest", ...}
    data: Mapping[str, Any]  # {"source", "seed", ...}
    timeline: Timeline | None = None  # None until the network as loaded has been measured
    settings: Mapping[str, Any] = field(default_factory=dict)
    weights: str | None = None  # file with the weights of the current state, while a run that trains is unfinished
    finished: bool = True


def write_run(folder: Path, run: Run) -> Path:
    """Write the run's `run.json`; raises BadInput where the folder can't be written."""
    content = {
        "format": FORMAT,
        "network": dict(run.network),
        "data": dict(run.data),
        "settings": dict(run.settings),
        "timeline": run.timeline and timelines.to_json(run.timeline),
        "weights": run.weights,
        "finished": run.finished,
    }
    return write_whole(folder / FILE, json.dumps(content, indent=1).encode())


def read_run(folder: Path) -> Run:
    """The run of a folder; raises BadInput where it holds none, or a damaged one."""
    path = folder / FILE
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise BadInput(f"{folder} is not a run folder: it holds no {FILE}.") from error
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} is damaged: it is not JSON.") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise BadInput(f"{path} is not in the format {FORMAT!r}.")
    network, data, settings = (content.get(key) for key in ("network", "data", "settings"))
    if not (isinstance(network, dict) and isinstance(data, dict) and isinstance(settings, dict)):
        raise BadInput(f"{path} is damaged: network, data and settings must be objects.")
    timeline, finished = content.get("timeline"), content.get("finished", True)
    if not isinstance(finished, bool):
        raise BadInput(f"{path} is damaged: finished must be true or false.")
    states = None if timeline is None else timelines.from_json(timeline)
    return Run(network, data, states, settings, _weights(path, content.get("weights")), finished)


def _weights(path: Path, name: object) -> str | None:
    """The weights file that a run names; BadInput where it lies elsewhere or is not there."""
    if name is None:
        return None
    if not (isinstance(name, str) and WEIGHTS.fullmatch(name)):
        raise BadInput(f"{path} is damaged: weights must be the name of a .safetensors file beside it.")
    if not (path.parent / name).is_file():
        raise BadInput(f"{path} is damaged: the weights that it names, {name}, are not there.")
    return name


def write_weights(folder: Path, number: int, network: Network) -> str:
    """Write the weights of the state after step `number`; the file's name in the folder."""
    tensors = {name: value.cpu().clone().contiguous() for name, value in network.module.state_dict().items()}
    digest = fingerprint(network.arch, network.module, network.preprocessing)
    content = safetensors.torch.save(tensors, metadata={"digest": digest})
    return write_whole(folder / weights_name(number), content).name


def weights_name(number: int | str) -> str:
    """The name of the file with the weights of the state after step `number`."""
    return f"weights-{number}.safetensors"


def read_weights(path: Path, network: Network) -> Network:
    """A network of the same layers with the weights of a file; raises BadInput where they are not those written."""
    module = copy.deepcopy(network.module)
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            digest = (file.metadata() or {}).get("digest")
            module.load_state_dict({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    except (OSError, SafetensorError, RuntimeError) as error:
        raise BadInput(f"{path} is damaged: it does not hold the weights of the run's current state.") from error
    found = with_weights_of(network, module)
    if found.digest != digest:
        raise BadInput(f"{path} is damaged: its weights are not those that were written.")
    return found
