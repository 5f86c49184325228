"""Limits: what every plan leaves standing, and so in which portions a layer's units may go."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from torch import Tensor

from explorer.errors import BadInput
from explorer.networks.units import Units

Portion = list[int]  # units that go together


@dataclass(frozen=True)
class Limits:
    """Floors of the layers, in units, and what their widths are to be multiples of. The default: no layer gets empty.

    A layer with fewer units than its floor keeps them all. One that loses nothing may have any width.
    """

    floor: int = 1
    floors: Mapping[str, int] = field(default_factory=dict)  # layer name -> its own floor, in place of `floor`
    multiple: int = 1

    def __post_init__(self) -> None:
        for floor in (self.floor, *self.floors.values()):
            if floor < 1:
                raise BadInput(f"A floor of {floor} is not possible: every layer keeps at least 1 unit.")
        if self.multiple < 1:
            raise BadInput(f"Widths can't be multiples of {self.multiple}: it must be at least 1.")

    def of(self, units: Units) -> dict[str, int]:
        """Layer name -> its floor. BadInput for floors of layers that the network does not have."""
        for name in self.floors:
            if name not in units.slices:
                raise BadInput(f"A floor is given for {name!r}, which is no prunable layer of this network.")
        return {layer.name: min(self.floors.get(layer.name, self.floor), len(layer)) for layer in units.layers}

    def __str__(self) -> str:
        """For the end of a sentence: "its floor of 1"."""
        own = f" ({', '.join(f'{name}: {floor}' for name, floor in self.floors.items())})" if self.floors else ""
        return f"its floor of {self.floor}{own}" + (f", in steps of {self.multiple}" if self.multiple > 1 else "")


FREE = Limits()


def keeping(units: Units, names: Collection[str], limits: Limits = FREE) -> Limits:
    """These limits, and all units of the named layers stay. BadInput for layers that the network does not have."""
    for name in names:
        if name not in units.slices:
            raise BadInput(f"{name!r} can't be kept: it is no prunable layer of this network.")
    whole = {layer.name: len(layer) for layer in units.layers if layer.name in names}
    found = Limits(limits.floor, {**limits.floors, **whole}, limits.multiple)
    found.of(units)  # refuses floors of layers that are not there
    return found


def portions(units: Units, removed: Tensor, saliency: Tensor, limits: Limits = FREE) -> list[Portion]:
    """What may still go, least important first: single units, or as many as take a layer to the next allowed width.

    A portion counts by the mean saliency of its units; ties stand in network order. Whichever number of portions goes,
    from the first on, every layer keeps its floor, and each that loses anything has an allowed width.
    """
    floors = limits.of(units)
    found: list[tuple[float, Portion]] = []
    for name, place in units.slices.items():
        left = (~removed[place]).nonzero()[:, 0]
        values = saliency[place][left].double()
        order = values.argsort(stable=True)
        going = (left[order] + place.start).tolist()
        found += _of_layer(going, values[order].tolist(), floors[name], limits.multiple)
    return [portion for _, portion in sorted(found, key=lambda valued: valued[0])]


def _of_layer(units: list[int], values: list[float], floor: int, multiple: int) -> list[tuple[float, Portion]]:
    """A layer's portions, in the order in which they go, with values that never fall."""
    found: list[tuple[float, Portion]] = []
    start, value = 0, float("-inf")
    for width in range((len(units) - 1) // multiple * multiple, floor - 1, -multiple):
        if width:
            end = len(units) - width
            value = max(value, sum(values[start:end]) / (end - start))
            found.append((value, units[start:end]))
            start = end
    return found
