"""Exports of the demo that somebody has altered: what a file from a stranger may hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from explorer.data import asset
from explorer.networks.graph.safetensors_file import ENTRY

Change = Callable[[dict[str, Any]], None]
ACTIVE = (
    "![x](http://127.0.0.1:9/t.png)",
    "[click](http://127.0.0.1:9/a)",
    "<a href='http://127.0.0.1:9/b'>b</a>",
    "<img src='http://127.0.0.1:9/c.png'>",
    "http://127.0.0.1:9/d",
    "www.example.org",
    ":material/delete: :red[red]",
    "$\\frac{1}{2}$",
    "**bold** `code`",
    "-- <- ->",
)
"""Texts that Markdown, HTML, or the small HTML of plotly would make something of; as many as the demo has classes."""


def altered(change: Change) -> bytes:
    """The demo's file with its manifest changed; everything else, also its lengths, as in a whole file."""
    data = asset("network.safetensors").read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    manifest = json.loads(header["__metadata__"][ENTRY])
    change(manifest)
    header["__metadata__"][ENTRY] = json.dumps(manifest)
    written = json.dumps(header).encode()
    written += b" " * (-len(written) % 8)
    return len(written).to_bytes(8, "little") + written + data[8 + length :]


def renamed(manifest: dict[str, Any]) -> None:
    """Every name that a manifest is free to choose would do something, if it were more than text."""
    manifest["classes"] = list(ACTIVE)
    manifest["name"] = manifest["arch"] = ACTIVE[0]


def _layer(manifest: dict[str, Any], kind: str) -> dict[str, Any]:
    return next(layer for layer in manifest["graph"]["modules"].values() if layer["type"] == kind)


def of_type(name: object) -> Change:
    """The type of a layer."""
    return lambda manifest: _layer(manifest, "ReLU").update(type=name)


def argument(kind: str, name: str, value: object) -> Change:
    """An argument of a layer."""
    return lambda manifest: _layer(manifest, kind)["arguments"].update({name: value})


def node(**parts: object) -> Change:
    """What a step in the middle of the graph does."""
    return lambda manifest: manifest["graph"]["nodes"][3].update(parts)


def field(name: str, value: object) -> Change:
    """One of the manifest's own fields."""
    return lambda manifest: manifest.update({name: value})


REFUSED: dict[str, Change] = {
    "an image for a type": of_type(ACTIVE[0]),
    "a link for a type": of_type(ACTIVE[1]),
    "HTML for a type": of_type(ACTIVE[3]),
    "an address for a type": of_type(ACTIVE[4]),
    "a type that is a list": of_type(["ReLU"]),
    "code for a flag": argument("ReLU", "inplace", "torch.os.system('touch marker')"),
    "a word for a flag": argument("ReLU", "inplace", "yes"),
    "code for a number": argument("Conv2d", "kernel_size", "torch.os.getpid()"),
    "code for a mode": argument("Conv2d", "padding_mode", "torch.os.abort()"),
    "a number out of bounds": argument("Conv2d", "out_channels", 2**40),
    "a text with line ends": argument("Conv2d", "padding_mode", "zeros'\nimport os\n'"),
    "a function that is none": node(op="call_function", target="os.system"),
    "a method that is none": node(op="call_method", target="__reduce__"),
    "an attribute that is none": node(op="call_function", target="getattr", args=[{"node": "x"}, "__class__"]),
    "a name that is code": node(name="x); import os; ("),
    "a name that is reserved": node(name="__class__"),
    "another format": field("format", "pruning-explorer network 99"),
    "a shape beyond memory": field("input_shape", [1, 2**30, 2**30]),
    "no classes at all": field("classes", None),
    "layers that are none": field("layers", [{"name": ACTIVE[0]}]),
}
"""Twenty files, each with one thing that no export has."""
