"""From a checkpoint to a network: the architecture that it belongs to, its head size, and its weights in place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import torch
from torch import Size, Tensor, nn
from torch.overrides import TorchFunctionMode

from explorer.core.errors import BadInput
from explorer.networks.architectures.families import FAMILIES, build, create, known_architectures, listed_families
from explorer.networks.checkpoints import foreign
from explorer.networks.checkpoints.reading import Checkpoint
from explorer.networks.checkpoints.state_dicts import COUNTER, plain
from explorer.networks.checkpoints.taking import Taken, candidates

TRIALS = {"num_classes": (2, 3), "in_channels": (1, 3)}  # each option is told apart by what it changes
DIFFERENCES_NAMED = 3  # differences of a kind that a message names

Shapes = Mapping[str, Size]
Trial = tuple[Shapes, Shapes]


class Uninitialised(TorchFunctionMode):
    """Leaves out torch.nn.init: weights that a checkpoint replaces need no random start."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """The function's result; an initialiser returns its tensor as it is."""
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == "torch.nn.init":
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)


@dataclass(frozen=True, eq=False)
class Match:
    """An architecture's options, and the tensors of a checkpoint that fit it with these."""

    options: Mapping[str, int]
    expected: Shapes
    weights: Mapping[str, Tensor]
    differences: str  # "" where all fit
    note: str  # a sentence on what was taken and left, "" where that is all


def matched(arch: str, checkpoint: Checkpoint, *, trusted: bool = False) -> Match:
    """The set of the checkpoint's tensors that fits the architecture best, see `checkpoints.taking`.

    Head size and input channels are read from the shapes.
    """
    trials = _trials(arch, trusted)
    shapes = trials["num_classes"][0] if "num_classes" in trials else _shapes(arch, trusted)
    found = candidates(checkpoint.weights, list(shapes))
    matches = [_match(arch, trusted, trials, taken) for taken in found]
    fitting = [at for at, match in enumerate(matches) if not match.differences]
    best = fitting[0] if fitting else 0
    note = found[best].note(checkpoint.others, checkpoint.weights, [found[at] for at in fitting[1:]])
    return replace(matches[best], note=note)


def fit(arch: str, checkpoint: Checkpoint, *, trusted: bool = False) -> nn.Module:
    """The architecture with the checkpoint's weights, in eval mode, without gradients; see `fitted`."""
    return fitted(arch, checkpoint, trusted=trusted)[0]


def fitted(arch: str, checkpoint: Checkpoint, *, trusted: bool = False) -> tuple[nn.Module, str]:
    """The architecture with the checkpoint's weights, and a sentence on what was taken, "" where that is all.

    BadInput names the first keys and shapes that differ. The checkpoint's tensors are copied.
    """
    match = matched(arch, checkpoint, trusted=trusted)
    if match.differences and checkpoint.networks:
        clause = foreign.module_of(*checkpoint.networks[0])
        raise BadInput(f"{checkpoint.name} {foreign.filled(clause, checkpoint.name)}.")
    if match.differences:
        raise BadInput(f"{checkpoint.name} does not fit {arch}: {match.differences}.")
    module = _skeleton(arch, trusted, **match.options)
    state = module.state_dict()  # carries the format versions that some modules ask for, and counters at 0
    try:
        state.update((name, plain(name, tensor)) for name, tensor in match.weights.items())
    except BadInput as error:
        raise BadInput(f"{checkpoint.name} {error}.") from error.__cause__
    module.load_state_dict(state)
    return module.eval().requires_grad_(False), match.note


def transferred(
    arch: str, checkpoint: Checkpoint, num_classes: int, *, trusted: bool = False, seed: int = 0
) -> nn.Module:
    """The architecture for another number of classes: the checkpoint's weights, and a new head with a seeded start.

    The head is whatever the number of classes gives another shape. BadInput where the checkpoint does not fit the
    architecture with a head of its own.
    """
    old = fit(arch, checkpoint, trusted=trusted).state_dict()
    channels = matched(arch, checkpoint, trusted=trusted).options.get("in_channels")
    module = build(arch, num_classes, in_channels=channels, trusted=trusted, seed=seed)
    state = module.state_dict()
    state.update((name, value) for name, value in old.items() if state[name].shape == value.shape)
    module.load_state_dict(state)
    return module.eval().requires_grad_(False)


def channels_in(arch: str, checkpoint: Checkpoint) -> int | None:
    """Image channels that the checkpoint's first layer reads; None where the architecture leaves no choice."""
    try:
        one, other = (_shapes(arch, False, in_channels=channels) for channels in TRIALS["in_channels"])
    except BadInput:
        return None
    return _settle((one, other), candidates(checkpoint.weights, list(one))[0].weights)


def propose(checkpoint: Checkpoint) -> tuple[str, ...]:
    """The architectures that the checkpoint fits: the one its manifest names, else those of equal keys and shapes.

    A manifest may name an architecture of a known family only, never a factory, which would be code to run.
    """
    named = checkpoint.metadata.get("arch")
    if isinstance(named, str) and named.partition(":")[0] in FAMILIES:
        return (named,)
    fitting = (tuple(_fitting(family, checkpoint)) for family in listed_families())
    return next(filter(None, fitting), ())


def _fitting(family: str, checkpoint: Checkpoint) -> Iterator[str]:
    """A family's architectures that fit; of those alike, none where the last, a small one, begins otherwise."""
    likely: dict[str, bool] = {}
    for arch in reversed(known_architectures(family)):
        alike = FAMILIES[family].alike(arch.partition(":")[2])
        if alike not in likely:
            shapes = _known_shapes(arch)
            first = next(name for name in shapes if not _counts(name))
            likely[alike] = first in candidates(checkpoint.weights, list(shapes))[0].weights
        if likely[alike] and _fits(arch, checkpoint):
            yield arch


def _fits(arch: str, checkpoint: Checkpoint) -> bool:
    expected = _known_shapes(arch)
    named = candidates(checkpoint.weights, list(expected))[0].weights
    return _parameters(named) == _parameters(expected) and not matched(arch, checkpoint).differences


def _parameters(named: Mapping[str, object]) -> set[str]:
    return {name for name in named if not _counts(name)}


def _counts(name: str) -> bool:
    return name.endswith(COUNTER)


def _skeleton(arch: str, trusted: bool, **options: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]), Uninitialised():
        return create(arch, trusted=trusted, **options)


def _shapes(arch: str, trusted: bool, **options: int) -> Shapes:
    return {name: tensor.shape for name, tensor in _skeleton(arch, trusted, **options).state_dict().items()}


@cache
def _known_shapes(arch: str, **options: int) -> Shapes:
    return _shapes(arch, False, **options)


def _trials(arch: str, trusted: bool) -> dict[str, Trial]:
    """Option -> the shapes that two of its values give, for each option that the architecture has."""
    trials = {}
    for option, values in TRIALS.items():
        with suppress(BadInput):
            one, other = (_shapes(arch, trusted, **{option: value}) for value in values)
            trials[option] = (one, other)
    return trials


def _match(arch: str, trusted: bool, trials: Mapping[str, Trial], taken: Taken) -> Match:
    settled = {option: _settle(trial, taken.weights) for option, trial in trials.items()}
    options = {option: value for option, value in settled.items() if value is not None}
    expected = _shapes(arch, trusted, **options)
    return Match(options, expected, taken.weights, "; ".join(_differences(taken.weights, expected)), "")


def _settle(trial: Trial, weights: Mapping[str, Tensor]) -> int | None:
    """The value of an option: see which sizes change with it, and look these up in the checkpoint."""
    one, other = trial
    found = {_changed_size(weights[name].shape, one[name], other.get(name)) for name in one if name in weights} - {0}
    return found.pop() if len(found) == 1 else None


def _changed_size(shape: Size, one: Size, other: Size | None) -> int:
    """The size in `shape` along the one dimension where the two others differ, if the rest agree; else 0."""
    if other is None or not len(shape) == len(one) == len(other):
        return 0
    changed = [d for d in range(len(one)) if one[d] != other[d]]
    rest_agrees = all(shape[d] == one[d] for d in range(len(one)) if d not in changed)
    return shape[changed[0]] if len(changed) == 1 and rest_agrees else 0


def _differences(weights: Mapping[str, Tensor], expected: Shapes) -> Iterator[str]:
    missing = [f"{name} {_shape(expected[name])}" for name in expected if name not in weights and not _counts(name)]
    unexpected = [f"{name} {_shape(weights[name].shape)}" for name in weights if name not in expected]
    other = [
        f"{name} is {_shape(weights[name].shape)} instead of {_shape(expected[name])}"
        for name in expected
        if name in weights and weights[name].shape != expected[name]
    ]
    for what, entries in (("missing ", missing), ("unexpected ", unexpected), ("", other)):
        if entries:
            more = f" and {len(entries) - DIFFERENCES_NAMED} more" if len(entries) > DIFFERENCES_NAMED else ""
            yield what + ", ".join(entries[:DIFFERENCES_NAMED]) + more


def _shape(shape: Size) -> str:
    return f"({', '.join(map(str, shape))})"
