"""Networks that answer with more than logits: auxiliary heads, dictionaries, (named) tuples.

The logits are the (N, classes) tensor that such an output holds: under one of NAMES where it has names, else the first
of that shape, or what is made of that, nested outputs included: main heads stand before auxiliary ones. The loss is the
cross-entropy of these logits alone, wherever it is measured, estimated or trained on; other outputs take no part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

NAMES = ("logits", "out", "output", "pred", "main")
Entries = tuple[str | int, ...]
Forward = Callable[[Tensor], Any]


def path_of_logits(output: object) -> Entries | None:
    """The path to the logits in a network's output: () if the output is the logits, None if there are none."""
    rows = list(_paths(output, lambda part: part.dim() == 2)) or list(_paths(output, _of_one_pixel))
    for path in rows[1:]:  # an embedding stands before the logits that are made of it
        if (
            path[0] not in NAMES
            and rows[0][0] not in NAMES
            and _made_of(_follow(output, path), _follow(output, rows[0]))
        ):
            return path
    return rows[0] if rows else None


def _paths(output: object, fits: Callable[[Tensor], bool]) -> Iterator[Entries]:
    """The ways to all tensors that fit."""
    if isinstance(output, Tensor):
        if fits(output):
            yield ()
        return
    for entry, part in _parts(output):
        for inner in _paths(part, fits):
            yield entry, *inner


def _made_of(later: Tensor, earlier: Tensor) -> bool:
    """Whether one output was computed from another, as far as gradients tell."""
    if not (later.requires_grad and earlier.requires_grad):
        return False
    return torch.autograd.grad(later.sum(), earlier, allow_unused=True, retain_graph=True)[0] is not None


def _of_one_pixel(output: Tensor) -> bool:
    """Whether these are maps of one value each, (N, classes, 1, 1), as fully convolutional heads give."""
    return output.dim() > 2 and set(output.shape[2:]) == {1}


def logits_of(output: Any) -> Tensor:
    """The logits of an output that has some."""
    path = path_of_logits(output)
    assert path is not None, "networks without logits are not opened"
    found: Tensor = _follow(output, path)
    return found.flatten(1) if found.dim() > 2 else found


def chosen(path: Entries, output: object) -> str:
    """A sentence on which part of an output is read, or how; "" where it is a row of logits an image as it comes."""
    if path:
        return f"Of what it gives, output{''.join(f'[{entry!r}]' for entry in path)} alone is read."
    return "Its output, of one pixel a class, is read as a row." if _of_one_pixel(_follow(output, path)) else ""


def returning_logits(module: nn.Module, path: Entries, output: object) -> nn.Module:
    """The module itself, made to return only the logits (N, classes) of such an output, found under `path`."""
    maps = _of_one_pixel(_follow(output, path))
    if not path and not maps:
        return module

    def logits_only(network: nn.Module, forward: Forward, x: Tensor) -> Any:
        output = forward(x)
        if network.training:
            return logits_of(output)  # auxiliary heads come and go
        found = _follow(output, path)
        return found.flatten(1) if maps else found

    return with_forward(module, logits_only)


def with_forward(module: nn.Module, answer: Callable[[nn.Module, Forward, Tensor], Any]) -> nn.Module:
    """The module itself, made to return answer(module, its usual forward, x); all its layers keep their names."""
    kind = type(module)

    def forward(self: nn.Module, x: Tensor) -> Any:
        return answer(self, partial(kind.forward, self), x)

    module.__class__ = type(kind.__name__, (kind,), {"forward": forward})
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
