"""Arguments of graph nodes as JSON and back.

Numbers, strings, booleans, None and lists stand for themselves; everything else is an object with one key:
{"node": name}, {"tuple": [...]}, {"slice": [start, stop, step]}, {"dtype": name}, {"memory_format": name},
{"float": "inf" | "-inf" | "nan"}, {"ellipsis": true}.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import fx

from explorer.core.checks import items, require
from explorer.core.errors import BadInput
from explorer.core.text import quoted

DEPTH = 8
_LARGEST = 2**53  # every JSON reader keeps smaller numbers exactly

DTYPES = {
    str(d).removeprefix("torch."): d
    for d in (torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int32, torch.int64, torch.bool)
}
MEMORY_FORMATS = {
    str(f).removeprefix("torch."): f
    for f in (torch.contiguous_format, torch.preserve_format, torch.channels_last, torch.channels_last_3d)
}
NON_FINITE = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}


def encode(value: Any) -> Any:
    """The JSON form of one argument.

    Raises BadInput for a value that has none, as a tensor or a device.
    """
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, list):
        return [encode(v) for v in value]
    for kind, key, form in _ENCODERS:
        if isinstance(value, kind):
            return {key: form(value)}
    raise BadInput(f"an argument of type {type(value).__name__} has no JSON form")


_ENCODERS: tuple[tuple[type, str, Callable[[Any], Any]], ...] = (
    (fx.Node, "node", lambda v: v.name),
    (tuple, "tuple", lambda v: [encode(item) for item in v]),
    (slice, "slice", lambda v: [encode(v.start), encode(v.stop), encode(v.step)]),
    (torch.dtype, "dtype", lambda v: str(v).removeprefix("torch.")),
    (torch.memory_format, "memory_format", lambda v: str(v).removeprefix("torch.")),
    (type(...), "ellipsis", lambda v: True),
)


def decode(value: Any, nodes: Mapping[str, Any], depth: int = 0) -> Any:
    """The argument that a JSON form stands for.

    References must be among `nodes`, the stand-ins of the nodes before it.
    """
    require(depth <= DEPTH, f"arguments nest deeper than {DEPTH}")
    if isinstance(value, int) and not isinstance(value, bool):
        require(abs(value) <= _LARGEST, f"the number {quoted(value)} is too large")
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, list):
        return [decode(v, nodes, depth + 1) for v in items(value, "a list argument")]
    require(isinstance(value, dict) and len(value) == 1, f"{quoted(value)} is no argument")
    ((key, content),) = value.items()
    if key in ("tuple", "slice"):
        parts = tuple(decode(v, nodes, depth + 1) for v in items(content, f"a {key}"))
        require(key == "tuple" or len(parts) == 3, "a slice has three parts")
        return parts if key == "tuple" else slice(*parts)
    return _named(key, content, nodes)


def decode_plain(value: Any) -> Any:
    """The argument of a layer's constructor that a JSON form stands for: no nodes, and tuples for lists."""
    decoded = decode(value, {})
    return tuple(decoded) if isinstance(decoded, list) else decoded


def _named(key: str, content: Any, nodes: Mapping[str, Any]) -> Any:
    """The value that a one-word argument refers to."""
    tables: dict[str, Mapping[Any, Any]] = {
        "node": nodes,
        "dtype": DTYPES,
        "memory_format": MEMORY_FORMATS,
        "float": NON_FINITE,
        "ellipsis": {True: ...},
    }
    require(key in tables, f"{quoted(key)} is no kind of argument")
    known = isinstance(content, (str, bool)) and content in tables[key]
    require(known, f"there is no {key} {quoted(content)} before the node that uses it")
    return tables[key][content]
