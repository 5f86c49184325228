"""Networks that answer with more than logits: auxiliary heads, dictionaries, (named) tuples.

The logits are the (N, classes) tensor that such an output holds: under one of NAMES where it has names, else the first
of that shape, nested outputs included: main heads stand before auxiliary ones. The loss is the cross-entropy of these
logits alone, wherever it is measured, estimated or trained on; other outputs take no part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor, nn

NAMES = ("logits", "out", "output", "pred", "main")
Entries = tuple[str | int, ...]


def path_of_logits(output: object) -> Entries | None:
    """Where in a network's output the logits are: () where it is nothing else, None where there are none."""
    if isinstance(output, Tensor):
        return () if output.dim() == 2 else None
    for entry, part in _parts(output):
        inner = path_of_logits(part)
        if inner is not None:
            return entry, *inner
    return None


def logits_of(output: Any) -> Tensor:
    """The logits of an output that has some."""
    path = path_of_logits(output)
    assert path is not None, "networks without logits are not opened"
    return _follow(output, path)


def answering_with(module: nn.Module, path: Entries) -> nn.Module:
    """The module itself, made to return only the logits; the names of its layers and weights stay as they are."""
    if not path:
        return module
    kind: Any = type(module)

    class LogitsOnly(kind):
        def forward(self, x: Tensor) -> Tensor:
            output = super().forward(x)
            return logits_of(output) if self.training else _follow(output, path)  # auxiliary heads come and go

    LogitsOnly.__name__ = kind.__name__
    module.__class__ = LogitsOnly
    return module


def _parts(output: object) -> Iterator[tuple[str | int, object]]:
    """The parts of an output with how to reach them, those under NAMES first."""
    if isinstance(output, Mapping):
        yield from sorted(output.items(), key=lambda item: _place(item[0]))
    elif isinstance(output, (tuple, list)):
        names = getattr(output, "_fields", [""] * len(output))
        yield from sorted(enumerate(output), key=lambda item: _place(names[item[0]]))


def _place(name: object) -> int:
    return NAMES.index(name) if name in NAMES else len(NAMES)


def _follow(output: Any, path: Entries) -> Any:
    for entry in path:
        output = output[entry]
    return output
