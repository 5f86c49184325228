"""Ranks of one unit among those that are left."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import torch
from torch import Tensor

from explorer.networks.units import Units
from explorer.scoring.ranking.places import average_places


@dataclass(frozen=True)
class UnitRank:
    """A unit's place by one criterion: rank 1 = most important, ties share their average; nan for a removed unit."""

    value: float  # the unit's saliency by the criterion
    rank: float
    of: int  # units left
    layer_rank: float
    layer_of: int  # units left in its layer

    @property
    def share(self) -> float:
        """0 for the least important of all units left, 1 for the most important."""
        return (self.of - self.rank) / max(1, self.of - 1)

    @property
    def layer_share(self) -> float:
        """The same within its layer."""
        return (self.layer_of - self.layer_rank) / max(1, self.layer_of - 1)


def standing(value: Tensor, compared: Tensor, units: Units, removed: Tensor, unit: int) -> UnitRank:
    """One unit's rank. value (units,): saliencies; compared (units,): the values that units are ranked by, such as
    scaled saliencies.
    """
    layer = units.layer_index == units.layer_index[unit]
    of_all, of_layer = ~removed, ~removed & layer
    ranks = (nan, nan) if removed[unit] else (_rank(compared, of_all, unit), _rank(compared, of_layer, unit))
    return UnitRank(float(value[unit]), ranks[0], int(of_all.sum()), ranks[1], int(of_layer.sum()))


def _rank(compared: Tensor, among: Tensor, unit: int) -> float:
    return float(average_places(-compared[among].numpy())[int(among[:unit].sum())])


def neighbours(compared: Tensor, removed: Tensor, unit: int) -> tuple[int | None, int | None]:
    """The units right before and right after this one in the order in which they would go; ties in network order.

    A removed unit stands where its value puts it, first where it has none left.
    """
    finite = compared.where(compared.isfinite(), -torch.inf)
    order = [u for u in finite.argsort(stable=True).tolist() if u == unit or not removed[u]]
    place = order.index(unit)
    return order[place - 1] if place else None, order[place + 1] if place + 1 < len(order) else None
