"""Plan: which units go. A plan is a boolean tensor over the units, True = removed; as JSON it is a list of channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from explorer.costs import Costs
from explorer.errors import BadInput
from explorer.networks.units import Units

FLOOR = 1  # no layer may ever become empty


def nothing(units: Units) -> Tensor:
    """The plan that removes no unit."""
    return torch.zeros(len(units), dtype=torch.bool)


def removable(units: Units, removed: Tensor, order: Tensor) -> list[int]:
    """The units that may still go, in the given order, so that every layer keeps its floor even if all of them go.

    order: (units,) int64, least important first.
    """
    left = {name: int((~part).sum()) for name, part in units.by_layer(removed).items()}
    names = [units.layers[i].name for i in units.layer_index.tolist()]
    allowed = []
    for unit in order.tolist():
        if not removed[unit] and left[names[unit]] > FLOOR:
            left[names[unit]] -= 1
            allowed.append(unit)
    return allowed


def least_important(saliency: Tensor) -> Tensor:
    """(units,) saliency -> unit indices, least important first; ties in network order."""
    return torch.argsort(saliency, stable=True)


def remove_next(units: Units, removed: Tensor, saliency: Tensor, count: int) -> Tensor:
    """The plan with the `count` least important units gone as well, or as many as the floors allow.

    Raises BadInput where no unit can go.
    """
    candidates = removable(units, removed, least_important(saliency))
    if not candidates:
        raise BadInput(f"No unit can go: every layer is down to its floor of {FLOOR}.")
    return with_removed(removed, candidates[:count])


def with_removed(removed: Tensor, more: Sequence[int]) -> Tensor:
    """The plan with some more units gone."""
    plan = removed.clone()
    plan[list(more)] = True
    return plan


def over_all_units(saliency: Tensor, removed: Tensor) -> Tensor:
    """Saliencies of the units left, spread over all (units,): what is already removed stands at infinity."""
    return torch.full(removed.shape, torch.inf, dtype=saliency.dtype).masked_scatter(~removed, saliency)


def share_left(costs: Costs, removed: Tensor, measure: str) -> float:
    """Share of the units, parameters ("params") or FLOPs ("flops") of the network that a plan leaves, 0 to 1."""
    return MEASURES[measure](costs, removed) / MEASURES[measure](costs, nothing(costs.units))


MEASURES = {
    "units": lambda costs, removed: int((~removed).sum()),
    "params": lambda costs, removed: costs.parameters(removed),
    "flops": lambda costs, removed: costs.flops(removed),
}


def remove_until(costs: Costs, removed: Tensor, saliency: Tensor, measure: str, target: float) -> Tensor:
    """The plan with the least important units gone until at most the share `target` of a measure is left.

    The fewest units that do it, by bisection: the share falls with every unit. Raises BadInput where the target is
    out of (0, 1), or below what the floors allow.
    """
    check_target(measure, target)
    candidates = removable(costs.units, removed, least_important(saliency))
    fits = [len(candidates) + 1]
    low, high = 0, len(candidates)
    while low <= high:
        middle = (low + high) // 2
        if share_left(costs, with_removed(removed, candidates[:middle]), measure) <= target:
            fits.append(middle)
            high = middle - 1
        else:
            low = middle + 1
    if fits[-1] > len(candidates):
        least = share_left(costs, with_removed(removed, candidates), measure)
        raise BadInput(
            f"{measure}={target:g} can't be reached: with every layer at its floor of {FLOOR}, "
            f"{least:.3f} of the {measure} is left."
        )
    return with_removed(removed, candidates[: fits[-1]])


def remove_towards(costs: Costs, removed: Tensor, saliency: Tensor, count: int, measure: str, target: float) -> Tensor:
    """The plan with `count` more units gone, or the fewer that leave at most the share `target` of a measure."""
    plan = remove_next(costs.units, removed, saliency, count)
    if share_left(costs, plan, measure) > target:
        return plan
    return remove_until(costs, removed, saliency, measure, target)


def check_target(measure: str, target: float) -> None:
    """Raise BadInput unless `measure` is known and 0 < target < 1."""
    if measure not in MEASURES:
        raise BadInput(f"Unknown target '{measure}'; known are {', '.join(f'{m}=SHARE' for m in MEASURES)}.")
    if not 0 < target < 1:
        raise BadInput(f"{measure}={target:g} is not between 0 and 1: it is the share that is left.")


def below(units: Units, saliency: Tensor, thresholds: Mapping[str, float]) -> Tensor:
    """The plan that removes what lies below its layer's threshold; a layer's most important unit always stays.

    thresholds: layer name -> threshold in the saliency's unit; layers not named lose nothing.
    """
    plan = nothing(units)
    for name, place in units.slices.items():
        plan[place] = saliency[place] < thresholds.get(name, float("-inf"))
        if plan[place].all():
            plan[place.start + int(saliency[place].argmax())] = False
    return plan


def to_json(units: Units, removed: Tensor) -> list[dict[str, Any]]:
    """A plan as [{"layer", "channel"}], by original channel indices."""
    return [{"layer": units.labels[u][0], "channel": units.labels[u][1]} for u in removed.nonzero()[:, 0].tolist()]


def from_json(units: Units, entries: Any) -> Tensor:
    """The plan of such a list. Raises BadInput on anything that is not a unit of this network."""
    index = {label: unit for unit, label in enumerate(units.labels)}
    plan = nothing(units)
    for entry in entries if isinstance(entries, list) else [entries]:
        label = (entry.get("layer"), entry.get("channel")) if isinstance(entry, dict) else None
        if label not in index:
            raise BadInput(f"{entry} in the plan is not a unit of this network.")
        plan[index[label]] = True
    return plan
