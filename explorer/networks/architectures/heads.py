"""Heads of people's own on a known architecture, read from the names and shapes of a checkpoint's tensors.

A head is what stands in place of the architecture's last layer, or of the sequence that this ends: linear layers in a
row, with what has no weights between them. Dropout and flattening change nothing there in eval mode; which activation
stands between two linear layers leaves no trace in weights, so that a person has to say it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from torch import Size, Tensor, nn

from explorer.networks.architectures.variants import ACTIVATIONS
from explorer.networks.checkpoints.state_dicts import COUNTER

Shapes = Mapping[str, Size]
Weights = Mapping[str, Tensor]
T = TypeVar("T")
NAMED = 3  # names in a sentence
UNKNOWN = "?"
MISSING = "has no head, {0}: fine-tuning makes a new one (the command finetune)"
UNSAID = (
    "has a head of its own, {0}: which activation stands between its linear layers, weights don't show. Say it behind "
    f"the architecture's name, {{1}},head=relu (or {', '.join(list(ACTIVATIONS)[1:])}), or "
)
OTHER = "has a head of its own in place of {0}, of a form that its weights alone don't show: "


@dataclass(frozen=True)
class OwnPart:
    """A module that stands in place of the architecture's own."""

    path: str
    make: Callable[[], nn.Module]
    says: str


@dataclass(frozen=True)
class OwnHead:
    """The head that a checkpoint has in place of the architecture's."""

    path: str
    part: OwnPart | None = None  # None: it can't be rebuilt
    question: str = ""  # why, a clause before what else can be done; {0} stands for the architecture
    missing: str = ""  # such a clause where there is no head at all


@dataclass(frozen=True)
class HeadLayer:
    """A layer of a head; without weights unless said otherwise."""

    name: str
    says: str = ""
    make: Callable[[], nn.Module] = nn.Identity
    reads: int | None = None
    linear: bool = False


def own_head(skeleton: nn.Module, weights: Weights, activation: str | None) -> OwnHead | None:
    """The head of a checkpoint that fits the architecture but for its head; None where it does not fit elsewhere.

    skeleton: the architecture, of which only the structure counts. activation: of `ACTIVATIONS`, between linear layers.
    """
    expected = {name: tensor.shape for name, tensor in skeleton.state_dict().items()}
    path = next((each for each in _places(skeleton) if _fits_outside(each, expected, weights)), None)
    if path is None:
        return None
    inner = _inside(path, weights)
    if not inner:
        names = [f"{path}.{name}" for name in _inside(path, expected) if not name.endswith(COUNTER)]
        return OwnHead(path, missing=MISSING.format(", ".join(names[:NAMED])))
    layers = _layers(inner)
    row = _row(layers, activation) if layers else None
    if not layers or row is None or layers[0].reads != _reads(skeleton.get_submodule(path)):
        if inner.keys() <= _inside(path, expected).keys():
            return None  # of other sizes, which are named
        return OwnHead(path, None, OTHER.format(path))
    says = f"{path} as {', '.join(layer.says for layer in row if layer.says)}"
    if any(layer.says == UNKNOWN for layer in row):
        return OwnHead(path, None, UNSAID.format(says, "{0}"))
    return OwnHead(path, OwnPart(path, lambda: _made(row), says))


def _places(skeleton: nn.Module) -> Iterator[str]:
    """The last layer with weights, and the sequences that it ends, from the inside out."""
    for path in [name for name, layer in skeleton.named_modules() if isinstance(layer, nn.Linear | nn.Conv2d)][-1:]:
        yield path
        while (path := path.rpartition(".")[0]) and isinstance(skeleton.get_submodule(path), nn.Sequential):
            yield path


def _inside(path: str, named: Mapping[str, T]) -> dict[str, T]:
    return {name.removeprefix(f"{path}."): value for name, value in named.items() if name.startswith(f"{path}.")}


def _fits_outside(path: str, expected: Shapes, weights: Weights) -> bool:
    def outside(named: Collection[str]) -> set[str]:
        return {name for name in named if not name.startswith(f"{path}.") and not name.endswith(COUNTER)}

    names = outside(expected)
    return names == outside(weights) and all(weights[name].shape == expected[name] for name in names)


def _layers(inner: Weights) -> list[HeadLayer] | None:
    """The layers of a row, or the one that is the head itself; None for what is neither."""
    grouped: dict[str, dict[str, Tensor]] = {}
    for name, tensor in inner.items():
        layer, _, own = name.rpartition(".")
        grouped.setdefault(layer, {})[own] = tensor
    found = [_layer(name, tensors) for name, tensors in grouped.items()]
    known = [layer for layer in found if layer is not None]
    one_row = list(grouped) == [""] or all(name and "." not in name for name in grouped)
    if all(name.isdecimal() for name in grouped):
        known.sort(key=lambda layer: int(layer.name))
    return known if len(known) == len(found) and one_row and known[-1].linear else None


def _layer(name: str, tensors: Weights) -> HeadLayer | None:
    weight, bias = tensors.get("weight"), "bias" in tensors
    if weight is None:
        return None
    if weight.ndim == 2 and tensors.keys() <= {"weight", "bias"}:
        writes, reads = weight.shape
        says = f"Linear({reads}, {writes})" + ("" if bias else " without bias")
        return HeadLayer(name, says, lambda: nn.Linear(reads, writes, bias), reads, linear=True)
    (width,) = weight.shape if weight.ndim == 1 else (0,)
    if tensors.keys() - {COUNTER} == {"weight", "bias", "running_mean", "running_var"} and width:
        return HeadLayer(name, f"BatchNorm1d({width})", lambda: nn.BatchNorm1d(width), width)
    if tensors.keys() == {"weight"} and width:
        return HeadLayer(name, "PReLU", lambda: nn.PReLU(width))
    return None


def _row(layers: Sequence[HeadLayer], activation: str | None) -> list[HeadLayer] | None:
    """The layers with those without weights, which numbers leave room for; None where it is not clear which is which.

    Between two linear layers the first of these is the activation. Names leave room everywhere.
    """
    if all(layer.name.isdecimal() for layer in layers):
        places = {layer.name: layer for layer in layers}
        row = [places.get(name) or HeadLayer(name) for name in map(str, range(int(layers[-1].name) + 1))]
    else:
        row = [each for layer in layers for each in (HeadLayer(f"before_{layer.name}"), layer)][1:]
    if not row[0].says:
        row[0] = HeadLayer(row[0].name, make=nn.Flatten)  # changes nothing where rows come in
    linear = [at for at, layer in enumerate(row) if layer.linear]
    for one, other in pairwise(linear):
        between = row[one + 1 : other]
        free = [at for at, layer in enumerate(between, one + 1) if not layer.says]
        if free and not any(layer.says == "PReLU" for layer in between):
            if free != list(range(free[0], free[-1] + 1)):
                return None
            kind = ACTIVATIONS.get(activation or "")
            row[free[0]] = HeadLayer(row[free[0]].name, kind.__name__ if kind else UNKNOWN, kind or nn.Identity)
    return row


def _made(row: Sequence[HeadLayer]) -> nn.Module:
    if row[0].name == "":
        return row[0].make()
    return nn.Sequential(OrderedDict((layer.name, layer.make()) for layer in row))


def _reads(head: nn.Module) -> int:
    """How many values the architecture's own head reads of each image."""
    first = next(layer for layer in head.modules() if isinstance(layer, nn.Linear | nn.Conv2d))
    return first.in_features if isinstance(first, nn.Linear) else first.in_channels
