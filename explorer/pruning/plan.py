"""Plan: which units go. A plan is a boolean tensor over the units, True = removed; as JSON it is a list of channels."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate, chain
from math import inf
from typing import Any

import torch
from torch import Tensor

from explorer.core.errors import BadInput
from explorer.core.text import quoted
from explorer.networks.costs import Costs
from explorer.networks.units import Units, none_removed
from explorer.pruning.limits import NO_LIMITS, Limits, Portion, portions


def remove_next(units: Units, removed: Tensor, saliency: Tensor, count: int, limits: Limits = NO_LIMITS) -> Tensor:
    """The plan with the `count` least important units gone as well, or as many as the limits allow.

    Where limits make units go in portions, the last one goes whole. Raises BadInput if no unit can go.

        >>> from explorer.networks.units import Layer
        >>> units = Units(tuple(Layer(name, (0, 1), (), (), (), 2) for name in ("first", "second")), {})
        >>> saliency = torch.tensor([0.1, 0.2, 0.3, 0.4])
        >>> remove_next(units, none_removed(units), saliency, 1).tolist()
        [True, False, False, False]
        >>> remove_next(units, none_removed(units), saliency, 2).tolist()  # the second stays: each layer keeps one unit
        [True, False, True, False]
    """
    candidates = portions(units, removed, saliency, limits)
    if not candidates:
        raise BadInput(f"No unit can go: every layer is down to {limits}.")
    ends = list(accumulate(map(len, candidates)))
    return with_removed(removed, candidates[: bisect_left(ends, count) + 1])


def with_removed(removed: Tensor, more: Iterable[Portion]) -> Tensor:
    """The plan with some more portions gone."""
    plan = removed.clone()
    plan[list(chain.from_iterable(more))] = True
    return plan


def over_all_units(saliency: Tensor, removed: Tensor) -> Tensor:
    """Saliencies of the units left, spread over all (units,): removed units are at infinity."""
    return torch.full(removed.shape, torch.inf, dtype=saliency.dtype).masked_scatter(~removed, saliency)


def share_left(costs: Costs, removed: Tensor, measure: str) -> float:
    """Share of the units, parameters ("params") or FLOPs ("flops") of the network that a plan leaves, 0 to 1."""
    return MEASURES[measure](costs, removed) / MEASURES[measure](costs, none_removed(costs.units))


MEASURES: dict[str, Callable[[Costs, Tensor], int]] = {
    "units": lambda costs, removed: int((~removed).sum()),
    "params": lambda costs, removed: costs.parameters(removed),
    "flops": lambda costs, removed: costs.flops(removed),
}


def remove_until(
    costs: Costs, removed: Tensor, saliency: Tensor, measure: str, target: float, limits: Limits = NO_LIMITS
) -> Tensor:
    """The plan with the least important units gone until at most the share `target` of a measure is left.

    The fewest portions that do it, by bisection: the share falls with every unit. Raises BadInput if the target is out
    of (0, 1), or below what the limits allow.
    """
    check_target(measure, target)
    candidates = portions(costs.units, removed, saliency, limits)
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
            f"{measure}={target:g} can't be reached: with every layer at {limits}, "
            f"{least:.3f} of the {measure} is left."
        )
    return with_removed(removed, candidates[: fits[-1]])


def remove_all(units: Units, removed: Tensor, saliency: Tensor, limits: Limits = NO_LIMITS) -> Tensor:
    """The plan that leaves only what the limits keep."""
    return with_removed(removed, portions(units, removed, saliency, limits))


Aim = tuple[str, float]  # a measure, and the share of it that is to be left


def remove_towards(
    costs: Costs, removed: Tensor, saliency: Tensor, count: int, aim: Aim | None, limits: Limits = NO_LIMITS
) -> Tensor:
    """The plan with `count` more units gone, or the fewer that take the measure of an aim to its share."""
    plan = remove_next(costs.units, removed, saliency, count, limits)
    if aim is None or share_left(costs, plan, aim[0]) > aim[1]:
        return plan
    return remove_until(costs, removed, saliency, *aim, limits)


def check_target(measure: str, target: float) -> None:
    """Raise BadInput unless `measure` is known and 0 < target < 1."""
    if measure not in MEASURES:
        raise BadInput(f"Unknown target '{measure}'; known are {', '.join(f'{m}=SHARE' for m in MEASURES)}.")
    if not 0 < target < 1:
        raise BadInput(f"{measure}={target:g} is not between 0 and 1: it is the share that is left.")


def below_thresholds(
    units: Units, removed: Tensor, saliency: Tensor, thresholds: Mapping[str, float], limits: Limits = NO_LIMITS
) -> Tensor:
    """The plan with what lies below its layer's threshold gone as well, as far as the limits allow.

    thresholds: layer name -> threshold in the saliency's unit; layers not named lose only what the limits choose to go.
    A portion goes when all of its units lie below or are chosen to.
    """
    lines = torch.cat([saliency.new_full((len(layer),), thresholds.get(layer.name, -inf)) for layer in units.layers])
    return removed | removed_by_lines(line_needed(units, removed, saliency, limits), lines)


def line_needed(units: Units, removed: Tensor, saliency: Tensor, limits: Limits = NO_LIMITS) -> Tensor:
    """(units,) float64: the value that a layer's threshold has to lie above for the unit to go.

    The largest saliency of the portion that the unit goes with, minus infinity where all of that is chosen to go;
    infinity for what is gone already, and for what the limits keep.
    """
    values = saliency.double().masked_fill(limits.going(units), -inf).tolist()
    found = [inf] * len(units)
    for portion in portions(units, removed, saliency, limits):
        highest = max(values[unit] for unit in portion)
        for unit in portion:
            found[unit] = highest
    return torch.tensor(found, dtype=torch.float64)


def removed_by_lines(needed: Tensor, lines: Tensor) -> Tensor:
    """(..., units) bool, True = goes: `needed` (units,) as above, lines (..., units) the thresholds of their layers."""
    return (needed < lines) | (needed == -inf)


def to_json(units: Units, removed: Tensor) -> list[dict[str, Any]]:
    """A plan as [{"layer", "channel"}], by original channel indices."""
    return [{"layer": units.labels[u][0], "channel": units.labels[u][1]} for u in removed.nonzero()[:, 0].tolist()]


def from_json(units: Units, entries: Any) -> Tensor:
    """The plan of such a list. Raises BadInput on anything that is not a unit of this network, and on a unit twice."""
    index = {label: unit for unit, label in enumerate(units.labels)}
    plan = none_removed(units)
    for entry in entries if isinstance(entries, list) else [entries]:
        label: Any = (entry.get("layer"), entry.get("channel")) if isinstance(entry, dict) else ()
        if tuple(map(type, label)) != (str, int) or label not in index:  # neither true nor 1.0 is channel 1
            raise BadInput(
                f"{quoted(entry)} in the plan is not a unit of this network: give the one that it was made for, or "
                "another of the same layers."
            )
        if plan[index[label]]:
            raise BadInput(f"{quoted(entry)} is in the plan twice: export it again.")
        plan[index[label]] = True
    return plan
