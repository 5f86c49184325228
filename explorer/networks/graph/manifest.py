"""The manifest: all that an export knows of its network besides the weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from explorer.core.bounds import EXPORT_UNITS
from explorer.core.checks import fields, items, printable, require, text, whole_number
from explorer.core.errors import BadInput
from explorer.core.text import quoted
from explorer.data.preprocessing import Preprocessing

FORMAT = "pruning-explorer network 1"
_KEYS = (
    *("format", "name", "arch", "classes", "input_shape", "preprocessing"),
    *("layers", "metrics", "provenance", "graph"),
)


@dataclass(frozen=True)
class LayerWidth:
    """A layer's number of units before and after, and the ones that stayed, by their index in the original network."""

    name: str
    width_before: int
    width_after: int
    kept: tuple[int, ...]


@dataclass(frozen=True)
class Manifest:
    """An exported network's properties, its origin, and its graph."""

    name: str
    arch: str  # of the network it was pruned from
    classes: tuple[str, ...]
    input_shape: tuple[int, ...]  # (C, H, W) of one image after preprocessing
    preprocessing: Preprocessing
    layers: tuple[LayerWidth, ...]
    metrics: Mapping[str, Any]  # {"before": {...}, "after": {...}}
    provenance: Mapping[str, Any]  # criterion, settings, digests, versions
    graph: Mapping[str, Any]  # see graph.py


def to_json(manifest: Manifest) -> dict[str, Any]:
    """The manifest as plain JSON values; numbers that are not finite become null."""
    free = {"metrics": _plain(manifest.metrics), "provenance": _plain(manifest.provenance)}
    return {
        "format": FORMAT,
        "name": manifest.name,
        "arch": manifest.arch,
        "classes": list(manifest.classes),
        "input_shape": list(manifest.input_shape),
        "preprocessing": manifest.preprocessing.to_json(),
        "layers": [{**asdict(layer), "kept": list(layer.kept)} for layer in manifest.layers],
        **free,
        "graph": manifest.graph,
    }


def summary(manifest: Manifest) -> dict[str, Any]:
    """The manifest without its graph, for files that have one of their own."""
    return {key: value for key, value in to_json(manifest).items() if key != "graph"}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def portable(value: Any) -> Any:
    """The value without places on the machine that made it: of every whole path only the last name stays."""
    if isinstance(value, Mapping):
        return {key: portable(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [portable(entry) for entry in value]
    return ",".join(map(_last_name, value.split(","))) if isinstance(value, str) else value  # X.npy,Y.npy are two


def _last_name(text: str) -> str:
    whole = text.startswith("~") or PurePosixPath(text).is_absolute() or PureWindowsPath(text).is_absolute()
    return PureWindowsPath(text).name if whole else text


def from_json(value: Any) -> Manifest:
    """Read a manifest; its graph is checked by `rebuild`.

    Raises BadInput if it is of another format or breaks a rule.
    """
    found = value.get("format") if isinstance(value, dict) else None
    if found != FORMAT:
        raise BadInput(f"This file's manifest has the format {quoted(found)}; only {FORMAT!r} can be read.")
    value = fields(value, _KEYS, "it")
    require(isinstance(value["metrics"], dict), "metrics must be an object")
    require(isinstance(value["provenance"], dict), "provenance must be an object")
    shape = tuple(
        whole_number(n, "a side of input_shape", least=1) for n in items(value["input_shape"], "input_shape", 4)
    )
    require(len(shape) >= 2, f"input_shape must have 2 to 4 sides, not {quoted(shape)}")
    layers = tuple(_layer(entry) for entry in items(value["layers"], "layers"))
    units = sum(layer.width_before for layer in layers)
    require(units <= EXPORT_UNITS.most, f"its layers must have had at most {EXPORT_UNITS.most:,} units, not {units:,}")
    return Manifest(
        name=text(value["name"], "name"),
        arch=printable(value["arch"], "arch"),
        classes=tuple(text(c, "a class") for c in items(value["classes"], "classes")),
        input_shape=shape,
        preprocessing=Preprocessing.from_json(value["preprocessing"]),
        layers=layers,
        metrics=value["metrics"],
        provenance=value["provenance"],
        graph=value["graph"],
    )


def _layer(value: Any) -> LayerWidth:
    value = fields(value, ("name", "width_before", "width_after", "kept"), "a layer")
    name, kept = text(value["name"], "a layer's name"), items(value["kept"], "kept")
    layer = LayerWidth(
        name,
        whole_number(value["width_before"], f"width_before of {quoted(name)}"),
        whole_number(value["width_after"], f"width_after of {quoted(name)}", least=1),
        tuple(whole_number(c, f"a channel of {quoted(name)}") for c in kept),
    )
    require(
        len(set(kept)) == len(kept) == layer.width_after, f"{quoted(name)} must keep width_after different channels"
    )
    require(layer.width_after <= layer.width_before, f"{quoted(name)} must not be wider than before")
    require(max(layer.kept) < layer.width_before, f"{quoted(name)} must keep channels below its width_before")
    return layer
