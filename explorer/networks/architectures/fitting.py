"""From a checkpoint to a network: the architecture that it belongs to, its head size, and its weights in place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import torch
from torch import Size, Tensor, nn
from torch.overrides import TorchFunctionMode
from torchvision.models import get_model_builder

from explorer.core.errors import BadInput
from explorer.networks.architectures.families import FAMILIES, build, create, known_architectures
from explorer.networks.checkpoints.reading import Checkpoint
from explorer.networks.checkpoints.state_dicts import COUNTER, shared_prefix

TRIALS = {"num_classes": (2, 3), "in_channels": (1, 3)}  # each option is told apart by what it changes
AUX_HEADS = ("aux1.", "aux2.", "AuxLogits.")  # of googlenet and inception_v3, which are built without
SHOWN = 3  # differences of a kind that a message names

Shapes = Mapping[str, Size]


class Uninitialised(TorchFunctionMode):
    """Leaves out torch.nn.init: weights that a checkpoint replaces need no random start."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """The function's result; an initialiser returns its tensor as it is."""
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == "torch.nn.init":
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)


def fit(arch: str, checkpoint: Checkpoint, *, trusted: bool = False) -> nn.Module:
    """The architecture with the checkpoint's weights, in eval mode, without gradients.

    Head size and input channels are read from the checkpoint's shapes. BadInput names the first keys and shapes
    that differ. The checkpoint's tensors are copied.
    """
    module = _skeleton(arch, trusted, **_options(arch, checkpoint.weights, trusted))
    expected = {name: tensor.shape for name, tensor in module.state_dict().items()}
    weights = _renamed(checkpoint.weights, expected)
    if differences := "; ".join(_differences(weights, expected)):
        raise BadInput(f"{checkpoint.name} does not fit {arch}: {differences}.")
    state = module.state_dict()  # carries the format versions that some modules ask for, and counters at 0
    state.update(weights)
    module.load_state_dict(state)
    return module.eval().requires_grad_(False)


def transferred(
    arch: str, checkpoint: Checkpoint, num_classes: int, *, trusted: bool = False, seed: int = 0
) -> nn.Module:
    """The architecture for another number of classes: the checkpoint's weights, and a new head with a seeded start.

    The head is whatever the number of classes gives another shape. BadInput where the checkpoint does not fit the
    architecture with a head of its own.
    """
    fitted = fit(arch, checkpoint, trusted=trusted).state_dict()
    options = _options(arch, checkpoint.weights, trusted)
    module = build(arch, num_classes, in_channels=options.get("in_channels"), trusted=trusted, seed=seed)
    state = module.state_dict()
    state.update((name, value) for name, value in fitted.items() if state[name].shape == value.shape)
    module.load_state_dict(state)
    return module.eval().requires_grad_(False)


def channels_in(arch: str, checkpoint: Checkpoint) -> int | None:
    """Image channels that the checkpoint's first layer reads; None where the architecture leaves no choice."""
    return _settle(arch, "in_channels", checkpoint.weights, trusted=False)


def propose(checkpoint: Checkpoint) -> tuple[str, ...]:
    """The architectures that the checkpoint fits: the one its manifest names, else those of equal keys and shapes.

    A manifest may name an architecture of a known family only, never a factory, which would be code to run.
    """
    named = checkpoint.metadata.get("arch")
    if isinstance(named, str) and named.partition(":")[0] in FAMILIES:
        return (named,)
    own = tuple(arch for arch in known_architectures("explorer") if _fits(arch, checkpoint))
    return own or tuple(arch for arch in _candidates(checkpoint) if _fits(arch, checkpoint))


def _candidates(checkpoint: Checkpoint) -> Iterator[str]:
    """torchvision's networks, leaving out families whose last (and small) member lacks the checkpoint's first key."""
    first = next(iter(checkpoint.weights))
    likely: dict[str, bool] = {}
    for arch in reversed(known_architectures("torchvision")):
        source = get_model_builder(arch.partition(":")[2]).__module__
        if source not in likely:
            likely[source] = first in _known_shapes(arch)
        if likely[source]:
            yield arch


def _fits(arch: str, checkpoint: Checkpoint) -> bool:
    weights = checkpoint.weights
    if _parameters(_renamed(weights, _known_shapes(arch))) != _parameters(_known_shapes(arch)):
        return False
    expected = _known_shapes(arch, **_options(arch, weights, trusted=False))
    return not any(_differences(_renamed(weights, expected), expected))


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


def _options(arch: str, weights: Mapping[str, Tensor], trusted: bool) -> dict[str, int]:
    """Those options of the architecture that the checkpoint's shapes settle."""
    found = {option: _settle(arch, option, weights, trusted) for option in TRIALS}
    return {option: value for option, value in found.items() if value is not None}


def _settle(arch: str, option: str, weights: Mapping[str, Tensor], trusted: bool) -> int | None:
    """The value of an option: build with two values, see which sizes change, and look these up in the checkpoint."""
    low, high = TRIALS[option]
    try:
        one, other = (_shapes(arch, trusted, **{option: value}) for value in (low, high))
    except BadInput:
        return None
    named = _renamed(weights, one)
    found = {_changed_size(named[name].shape, one[name], other.get(name)) for name in one if name in named} - {0}
    return found.pop() if len(found) == 1 else None


def _changed_size(shape: Size, one: Size, other: Size | None) -> int:
    """The size in `shape` along the one dimension where the two others differ, if the rest agree; else 0."""
    if other is None or not len(shape) == len(one) == len(other):
        return 0
    changed = [d for d in range(len(one)) if one[d] != other[d]]
    rest_agrees = all(shape[d] == one[d] for d in range(len(one)) if d not in changed)
    return shape[changed[0]] if len(changed) == 1 and rest_agrees else 0


def _renamed(weights: Mapping[str, Tensor], expected: Shapes) -> dict[str, Tensor]:
    """The weights under the network's own prefix, if all its names share one, without auxiliary heads."""
    prefix = shared_prefix(expected)
    has_aux = any(name.startswith(AUX_HEADS) for name in expected)
    return {prefix + name: tensor for name, tensor in weights.items() if has_aux or not name.startswith(AUX_HEADS)}


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
            more = f" and {len(entries) - SHOWN} more" if len(entries) > SHOWN else ""
            yield what + ", ".join(entries[:SHOWN]) + more


def _shape(shape: Size) -> str:
    return f"({', '.join(map(str, shape))})"
