"""What the fuzz test changes: good files of each kind, how they are changed, and what reads them."""

from __future__ import annotations

import ast
import hashlib
import json
import pickle
import random
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from exported import close_file, described, export_bytes, open_file
from hostile import archive, members, saved
from mutating import CODE, changed, damaged, nasty
from networks_at_hand import at_hand, network
from rewriting_documents import rewritten
from safetensors.torch import save as save_safetensors
from torch import Tensor, nn

from explorer.core.errors import BadInput
from explorer.data import Changes
from explorer.evaluation.metrics import Metrics
from explorer.export import model_source, plan_file
from explorer.networks.checkpoints.reading import read_checkpoint
from explorer.networks.graph import safetensors_file
from explorer.networks.load import network_file
from explorer.networks.network import Network
from explorer.networks.surgery import prune
from explorer.runs import timeline as timelines
from explorer.runs.opening import place
from explorer.runs.store import FORM as RUN_FORM
from explorer.runs.timeline import State


@dataclass(frozen=True)
class Subject:
    """A kind of file: a changed one from dice, and what reads it, in a folder of its own."""

    change: Callable[[random.Random], bytes]
    open: Callable[[bytes, Path], None]
    good: Callable[[], list[bytes]]  # files as they should be
    weight: int = 1  # how often it is taken


class Assorted(nn.Module):
    """A convolutional classifier with one of each kind of argument."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernel", torch.rand(1, 1, 3, 3))
        self.conv = nn.Conv2d(1, 6, 3, padding="same", padding_mode="reflect")
        self.block = nn.Sequential(nn.BatchNorm2d(6), nn.GELU("tanh"), nn.MaxPool2d(2, ceil_mode=True))
        self.up, self.pad = nn.Upsample(scale_factor=2.0, mode="nearest"), nn.ConstantPad2d((0, 1, 0, 1), 0.5)
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.conv2d(x, self.kernel, padding=1)
        x = self.pad(self.up(self.block(self.conv(x))))
        x = torch.cat([x[:, :2, ..., 1:], x[:, 2:, ..., 1:]], dim=1).contiguous(memory_format=torch.channels_last)
        x = nn.functional.interpolate(x, size=(4, 4), mode="bilinear", align_corners=False)
        x = nn.functional.leaky_relu(x, 0.2).mean((2, 3), keepdim=True, dtype=torch.float32).view(x.shape[0], -1)
        return self.head(nn.functional.pad(x.clamp(min=-float("inf"), max=5.0), (1, 1), "constant", 0.0))


@cache
def exports() -> tuple[tuple[Any, dict[str, Tensor]], ...]:
    """The manifests and tensors of good exports."""
    named = [at_hand(name) for name in ("plain", "residual", "squeeze_excite")]
    own = network_file(export_bytes(_assorted()), "assorted.safetensors").network()
    return tuple(open_file(export_bytes(network)) for network in (*named, own))


def _assorted() -> Network:
    torch.manual_seed(0)
    return network(Assorted(), (1, 8, 8), "assorted")


def _changed_export(dice: random.Random) -> bytes:
    manifest, tensors = dice.choice(exports())
    about = {key: value for key, value in manifest.items() if key != "graph"}
    act = dice.choices(("graph", "about", "names", "tensors", "bytes"), (10, 4, 4, 1, 1))[0]
    times = dice.choice((1, 1, 1, 2, 4))
    if act == "graph":
        return close_file({**manifest, "graph": changed(dice, manifest["graph"], times)}, tensors)
    if act == "about":
        return close_file({**changed(dice, about, times), "graph": manifest["graph"]}, tensors)
    if act == "names":
        return close_file(*_renamed(dice, manifest, tensors))
    if act == "tensors":
        return close_file(manifest, _changed_tensors(dice, tensors))
    return damaged(dice, close_file(manifest, tensors))


_NAMES = (
    *("float", "WEIGHTS", "Block", "self", "forward", "x", "_", "__a", "F", "torch", "nn", "getattr", "operator"),
    *("a-b", "1st", "None", "lambda", "a.b.c", "fixed", "training", "_modules", "super", "Network", "0", "MEAN"),
    *("torch.nn", "a." * 40 + "a", "n" * 500, "slice", "conv.weight", "Path", "json", "load", "Tensor", *CODE),
)


def _renamed(dice: random.Random, manifest: Any, tensors: dict[str, Tensor]) -> tuple[Any, dict[str, Tensor]]:
    """A layer, a tensor or a node under another name, everywhere."""
    graph, new = manifest["graph"], dice.choice(_NAMES)
    old = dice.choice([*graph["modules"], *graph["tensors"], *(node["name"] for node in graph["nodes"])])
    text = json.dumps(manifest).replace(json.dumps(old), json.dumps(new))
    parts = {new + name.removeprefix(old) if name.startswith(f"{old}.") else name: t for name, t in tensors.items()}
    return json.loads(text), {new if name == old else name: t for name, t in parts.items()}


def _changed_tensors(dice: random.Random, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    found = dict(tensors)
    name = dice.choice(sorted(found))
    value = found.pop(name)
    act = dice.choice(("rename", "grow", "type", "nan", "drop"))
    if act == "rename":
        found[dice.choice(CODE)] = value
    elif act == "grow":
        found[name] = torch.zeros(*value.shape, 2)
    elif act == "type":
        found[name] = value.to(dice.choice((torch.float64, torch.int64, torch.bool, torch.float16)))
    elif act == "nan":
        found[name] = torch.full(value.shape, float("nan"))
    return found


def _open_export(data: bytes, folder: Path) -> None:
    """As a person would: open it, prune half of it, write it in the forms that are text."""
    network = network_file(data, "fuzzed.safetensors").network()
    removed = torch.zeros(len(network.units), dtype=torch.bool)
    for part in network.units.slices.values():
        removed[part.start + 1 : part.stop : 2] = True
    pruned = prune(network, removed) if removed.any() else network
    contents = described(pruned)
    ast.parse(model_source.render(contents))
    plan_file.render(contents)
    safetensors_file.render(contents)


@cache
def _network() -> tuple[bytes, Network]:
    data = export_bytes(at_hand("plain"))
    return data, network_file(data, "plain.safetensors").network()


CHANGES = Changes(size=9, crop=8, mean=(0.5,), std=(0.5,))


@cache
def _run() -> Any:
    data = _network()[0]
    file = network_file(data, "plain.safetensors")
    network = file.network(file.preparation.with_changes(CHANGES))
    metrics = Metrics(units=len(network.units), parameters=9, flops=9, loss=1.0, accuracy=0.5, images=4)
    grown = timelines.start(metrics)
    for unit in (0, 6):
        label = network.units.labels[unit]
        grown = timelines.step(grown, State(grown.current, (label,), "by hand", metrics, None, 0, None, {"step": 1}))
    source = {"source": hashlib.sha256(data).hexdigest(), "name": "plain.safetensors", "arch": None}
    source |= {"digest": network.digest, **CHANGES.to_json()}
    run = {"format": str(RUN_FORM), "network": source, "data": {"source": "demo", "seed": 0}, "settings": {"step": 1}}
    more = {"timeline": asdict(grown), "finished": True, "files": {}}
    return json.loads(rewritten(json.dumps(run).encode(), more))


def _changed_run(dice: random.Random) -> bytes:
    """With the digest that fits, so that what is inside is read; sometimes without."""
    found = changed(dice, _run(), dice.choice((1, 1, 2)))
    content = rewritten(json.dumps(found).encode(), {}) if isinstance(found, dict) else json.dumps(found).encode()
    return damaged(dice, content) if dice.random() < 0.1 else content


def _open_run(data: bytes, folder: Path) -> None:
    upload, where = _network()[0], folder / "runs" / "fuzzedrun"
    (folder / "uploads").mkdir(exist_ok=True)
    (folder / "uploads" / hashlib.sha256(upload).hexdigest()).write_bytes(upload)
    where.mkdir(parents=True, exist_ok=True)
    (where / "run.json").write_bytes(data)
    place(str(where)).network()


@cache
def _plan() -> Any:
    removed = [{"layer": layer, "channel": channel} for layer, channel in _network()[1].units.labels[:3]]
    return {"format": plan_file.FORMAT, "network": {"name": "a", "arch": "b", "digest": "c"}, "removed": removed}


def _changed_plan(dice: random.Random) -> bytes:
    return json.dumps(changed(dice, _plan(), dice.choice((1, 1, 2)))).encode()


def _open_plan(data: bytes, folder: Path) -> None:
    path = folder / "plan.json"
    path.write_bytes(data)
    plan_file.replay(_network()[1], plan_file.read(path))


class Reduced:
    """Pickles as a call of a name, whatever that is."""

    def __init__(self, call: Callable[..., Any], *args: Any) -> None:
        self.call = call, args

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


_CALLS = (
    *((eval, "'PWNED'"), (exec, "PWNED = 1"), (open, "PWNED", "w"), (getattr, "", "__class__"), (__import__, "decoy")),
    *((np.load, "PWNED"), (torch.load, "PWNED"), (torch.hub.load, "PWNED", "x"), (bytearray, 10**9), (set, [1])),
    *((pickle.loads, b"N."), (Path, "/etc/passwd"), (complex, 1), (torch.Size, [1]), (type, "A", (), {})),
)


def _changed_checkpoint(dice: random.Random) -> bytes:
    state: dict[Any, Any] = dict(at_hand("plain").module.state_dict())
    act = dice.choice(("bytes", "bytes", "content", "call", "member", "safetensors"))
    if act == "content":
        state[dice.choice((*CODE, "0.weight", 7, "epoch"))] = nasty(dice)
    elif act == "call":
        state["x"] = Reduced(*dice.choice(_CALLS))
    elif act == "safetensors":
        return damaged(dice, save_safetensors(state, {"manifest": json.dumps({"a": nasty(dice)})}))
    data = saved(state, zipped=dice.random() < 0.6)
    if act == "member" and data[:2] == b"PK":
        parts = members(data)
        name = dice.choice(sorted(parts))
        parts[name] = damaged(dice, parts[name])
        return archive(
            {dice.choice((name, f"../{name}", "/x")) if each == name else each: d for each, d in parts.items()}
        )
    return damaged(dice, data) if act == "bytes" else data


def _open_checkpoint(data: bytes, folder: Path) -> None:
    try:
        read_checkpoint(data, "fuzzed.pt")
    except BadInput:
        read_checkpoint(data, "fuzzed.safetensors")


def _good_checkpoints() -> list[bytes]:
    state = at_hand("plain").module.state_dict()
    return [save_safetensors(state), *(saved(state, zipped) for zipped in (True, False))]


SUBJECTS = {
    "export": Subject(_changed_export, _open_export, lambda: [close_file(*each) for each in exports()], 10),
    "run": Subject(_changed_run, _open_run, lambda: [json.dumps(_run()).encode()], 4),
    "plan": Subject(_changed_plan, _open_plan, lambda: [json.dumps(_plan()).encode()], 2),
    "checkpoint": Subject(_changed_checkpoint, _open_checkpoint, _good_checkpoints, 4),
}
