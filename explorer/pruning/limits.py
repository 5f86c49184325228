"""Limits: the units that every plan keeps, and the portions in which a layer's units may therefore go."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from math import inf

import torch
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.networks.units import Units

Portion = list[int]  # units that go together
Chosen = Mapping[str, tuple[int, ...]]  # layer name -> channels, by their indices in the network as loaded


@dataclass(frozen=True)
class Limits:
    """Floors of the layers, in units, and what their widths are to be multiples of. The default: no layer gets empty.

    A layer with fewer units than its floor keeps them all. One that loses nothing may have any width. Single units may
    be chosen to stay, or to go before all others of their layer, as far as floor and widths allow.
    """

    floor: int = 1
    floors: Mapping[str, int] = field(default_factory=dict)  # layer name -> its own floor, in place of `floor`
    multiple: int = 1
    stay: Chosen = field(default_factory=dict)
    go: Chosen = field(default_factory=dict)

    def __post_init__(self) -> None:
        for floor in (self.floor, *self.floors.values()):
            if floor < 1:
                raise BadInput(f"A floor of {floor} is not possible: every layer keeps at least 1 unit.")
        if self.multiple < 1:
            raise BadInput(f"Widths can't be multiples of {self.multiple}: it must be at least 1.")
        for name, channels in self.stay.items():
            if both := set(channels) & set(self.go.get(name, ())):
                raise BadInput(f"Channel {min(both)} of {name!r} can't both stay and go.")

    def of(self, units: Units) -> dict[str, int]:
        """Layer name -> its floor. Raises BadInput for floors of layers that the network does not have."""
        for name in self.floors:
            if name not in units.slices:
                raise BadInput(
                    f"A floor is given for {name!r}, which is no prunable layer of this network: the command inspect "
                    "lists them."
                )
        return {layer.name: min(self.floors.get(layer.name, self.floor), len(layer)) for layer in units.layers}

    def staying(self, units: Units) -> Tensor:
        """(units,) bool: those chosen to stay, of the ones that this network still has."""
        return _mask(units, self.stay)

    def going(self, units: Units) -> Tensor:
        """(units,) bool: those chosen to go, of the ones that this network still has."""
        return _mask(units, self.go)

    def __str__(self) -> str:
        """For the end of a sentence: "its floor of 1"."""
        own = f" ({', '.join(f'{name}: {floor}' for name, floor in self.floors.items())})" if self.floors else ""
        steps = f", in steps of {self.multiple}" if self.multiple > 1 else ""
        held = sum(map(len, self.stay.values()))
        return f"its floor of {self.floor}{own}{steps}" + (f", with {held} units chosen to stay" if held else "")


def _mask(units: Units, chosen: Chosen) -> Tensor:
    mask = torch.zeros(len(units), dtype=torch.bool)
    for layer in units.layers:
        if channels := chosen.get(layer.name):
            mask[units.slices[layer.name]] = torch.isin(torch.tensor(layer.channels), torch.tensor(channels))
    return mask


NO_LIMITS = Limits()


def with_layers_kept(units: Units, names: Collection[str], limits: Limits = NO_LIMITS) -> Limits:
    """These limits, and all units of the named layers stay.

    Raises BadInput for layers that the network does not have.
    """
    for name in names:
        if name not in units.slices:
            raise BadInput(
                f"{name!r} can't be kept: it is no prunable layer of this network; the command inspect lists them."
            )
    whole = {layer.name: len(layer) for layer in units.layers if layer.name in names}
    found = replace(limits, floors={**limits.floors, **whole})
    found.of(units)  # refuses floors of layers that are not there
    return found


def with_units_chosen(units: Units, stay: Chosen, go: Chosen, limits: Limits = NO_LIMITS) -> Limits:
    """These limits, with units chosen to stay and to go. Raises BadInput for units that the network does not have."""
    known = set(units.labels)
    for chosen in (stay, go):
        for label in ((name, channel) for name, channels in chosen.items() for channel in channels):
            if label not in known:
                raise BadInput(f"Channel {label[1]} of {label[0]!r} can't be chosen: it is no unit of this network.")
    return replace(limits, stay=dict(stay), go=dict(go))


def unmet(units: Units, plan: Tensor, limits: Limits) -> str | None:
    """One sentence on units that were chosen to go and stay in this plan all the same, by layer, with the reason."""
    floors, left = limits.of(units), units.by_layer(limits.going(units) & ~plan)
    parts = []
    for name, staying in left.items():
        if count := int(staying.sum()):
            kept, total = int((~plan[units.slices[name]]).sum()), len(staying)
            whole, down = floors[name] == total, f"is down to its floor of {floors[name]}"
            steps = f"only loses units down to multiples of {limits.multiple}"
            parts.append(
                f"{count} of {name}, which {'stays whole' if whole else down if kept <= floors[name] else steps}"
            )
    return f"Chosen to go, and staying: {'; '.join(parts)}." if parts else None


def portions(units: Units, removed: Tensor, saliency: Tensor, limits: Limits = NO_LIMITS) -> list[Portion]:
    """The portions that may go, least important first: a unit, or as many as take a layer to the next allowed width.

    A portion counts by the mean saliency of its units; ties stand in network order. Units chosen to go come before all
    others. Whichever number of portions goes, from the first on, every layer keeps its floor and the units chosen to
    stay, and each that loses anything has an allowed width.

        >>> from explorer.networks.units import Layer
        >>> units = Units((Layer("conv", (0, 1, 2, 3, 4), (), (), (), 5),), {})
        >>> none_gone, saliency = torch.zeros(5, dtype=torch.bool), torch.tensor([0.5, 0.1, 0.4, 0.2, 0.3])
        >>> portions(units, none_gone, saliency)  # one at a time, and the last stays
        [[1], [3], [4], [2]]
        >>> portions(units, none_gone, saliency, Limits(multiple=2))  # 4 left, then 2
        [[1], [3, 4]]
        >>> portions(units, none_gone, saliency, Limits(floor=3, go={"conv": (0,)}))
        [[0], [1]]
    """
    floors, staying, first = limits.of(units), limits.staying(units), limits.going(units)
    found: list[tuple[float, Portion]] = []
    for name, place in units.slices.items():
        left = ~removed[place]
        free = (left & ~staying[place]).nonzero()[:, 0]
        values = saliency[place].double().masked_fill(first[place], -inf)[free]
        order = values.argsort(stable=True)
        going = (free[order] + place.start).tolist()
        found += _of_layer(going, values[order].tolist(), int(left.sum()), floors[name], limits.multiple)
    return [portion for _, portion in sorted(found, key=lambda valued: valued[0])]


def _of_layer(
    units: list[int], values: list[float], left: int, floor: int, multiple: int
) -> list[tuple[float, Portion]]:
    """A layer's portions, in the order in which they go, with values that never fall; left: units that it has now."""
    found: list[tuple[float, Portion]] = []
    start, value = 0, -inf
    for width in range((left - 1) // multiple * multiple, max(floor, left - len(units)) - 1, -multiple):
        if width:
            end = left - width
            value = max(value, sum(values[start:end]) / (end - start))
            found.append((value, units[start:end]))
            start = end
    return found
