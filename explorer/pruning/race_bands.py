"""Bands of a race: each selector's seeds as one line with its spread, and what the selectors removed first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from explorer.evaluation.metrics import Metrics
from explorer.networks.units import Label
from explorer.pruning.race import Lane, Race, RacePoint
from explorer.pruning.selectors import ORACLE

REPORTED_SHARES = (0.1, 0.25, 0.5)  # shares of the units, for what went first
LATENCY = "latency"


@dataclass(frozen=True, eq=False)
class RaceBand:
    """One selector over its seeds, step by step, as far as its lanes have come: arrays of (steps,).

    x: median share left, 1 = the network as given. y, low, high: median, least and largest of the quantity. seeds: how
    many lanes each step has; every_seed: there is but one, since another seed would give the same.
    """

    selector: str
    fine_tuned: bool  # measured after each step's fine-tuning, or before it
    every_seed: bool
    x: np.ndarray
    y: np.ndarray
    low: np.ndarray
    high: np.ndarray
    seeds: np.ndarray


def bands(race: Race, quantity: str, against: str, *, fine_tuned: bool) -> list[RaceBand]:
    """The bands of all selectors. quantity: "accuracy" or "loss"; against: "units", "parameters", "flops" or "latency".

    Seeds are put together step by step, so that they have as many units. Without updates all is before fine-tuning.
    """
    selectors = dict.fromkeys(lane.selector for lane in race)
    return [
        _band([lane for lane in race if lane.selector == each], quantity, against, fine_tuned) for each in selectors
    ]


def _band(lanes: list[Lane], quantity: str, against: str, fine_tuned: bool) -> RaceBand:
    steps = range(max(len(lane.points) for lane in lanes))
    there = [[lane for lane in lanes if len(lane.points) > step] for step in steps]
    x = [[share_left_at(lane, lane.points[n], against) for lane in some] for n, some in enumerate(there)]
    y = [[getattr(metrics_at(lane.points[n], fine_tuned), quantity) for lane in some] for n, some in enumerate(there)]
    return RaceBand(
        selector=lanes[0].selector,
        fine_tuned=fine_tuned,
        every_seed=lanes[0].every_seed,
        x=np.array([np.median(values) for values in x]),
        y=np.array([np.median(values) for values in y]),
        low=np.array([min(values) for values in y]),
        high=np.array([max(values) for values in y]),
        seeds=np.array([len(some) for some in there]),
    )


def share_left_at(lane: Lane, point: RacePoint, against: str) -> float:
    """The share that is left, at a point, of the units, parameters, FLOPs or latency that the lane began with."""
    if against == LATENCY:
        return point.speed.share if point.speed else float("nan")
    return float(getattr(point.metrics, against) / getattr(lane.points[0].metrics, against))


def metrics_at(point: RacePoint, fine_tuned: bool) -> Metrics:
    """The metrics after the step's fine-tuning, or before it."""
    return point.metrics if fine_tuned or point.pruned is None else point.pruned


def first_removed(lane: Lane, share: float) -> frozenset[Label] | None:
    """The units removed by the end of the first step that took at least this share of all; None before that step."""
    units, found = lane.points[0].metrics.units, set[Label]()
    for point in lane.points:
        found.update(point.removed)
        if len(found) >= share * units:
            return frozenset(found)
    return None


def overlap_with(race: Race, selector: str, share: float, reference: str = ORACLE) -> float | None:
    """Of the units that the reference removed first, the share that the selector had removed as early.

    0 to 1, mean over the seeds of both; by chance, about `share`. None if no lane of theirs has come so far.
    """
    pairs = [
        (first_removed(other, share), first_removed(lane, share))
        for other, lane in _side_by_side(race, reference, selector)
    ]
    shares = [len(theirs & own) / len(theirs) for theirs, own in pairs if theirs and own]
    return float(np.mean(shares)) if shares else None


def _side_by_side(race: Race, reference: str, selector: str) -> Iterable[tuple[Lane, Lane]]:
    """Lanes of one seed; one that stands for every seed goes with all of the other selector's."""
    for other in race:
        for lane in race:
            alike = other.seed == lane.seed or other.every_seed or lane.every_seed
            if (other.selector, lane.selector) == (reference, selector) and alike:
                yield other, lane


def first_at_share(band: RaceBand, share: float) -> int | None:
    """The first step with at most this share left, or None; the lanes may still come so far."""
    there = np.flatnonzero(band.x <= share + 1e-9)
    return int(there[0]) if len(there) else None
