"""Search: how far one ranking goes until a measured goal is met, found by bisection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor

from explorer.core.errors import BadInput
from explorer.core.progress import Report, silent, staying
from explorer.data import Batches
from explorer.evaluation.evaluate import evaluate, latency_share
from explorer.evaluation.metrics import metrics_of
from explorer.networks.costs import Costs
from explorer.networks.network import Network
from explorer.networks.surgery import prune
from explorer.pruning.goals import GOALS, LATENCY, spent
from explorer.pruning.limits import NO_LIMITS, Limits, portions
from explorer.pruning.plan import with_removed


@dataclass(frozen=True, eq=False)
class SearchResult:
    """The plan that meets a goal, and how many measurements it took to find it."""

    removed: Tensor  # (units,) bool
    measurements: int
    latency: float | None = None  # of the plan, as a share of the whole network's, where that was the goal


@dataclass(eq=False)
class Search:
    """One ranking of a network, whose plans are measured on the way."""

    whole: Network  # its latency is 1
    network: Network  # the same shape, with the weights of now
    costs: Costs
    validation: Batches
    removed: Tensor  # (units,) bool: what is gone already
    saliency: Tensor  # (units,)
    limits: Limits = NO_LIMITS
    report: Report = silent
    measurements: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.candidates = portions(self.costs.units, self.removed, self.saliency, self.limits)
        if not self.candidates:
            raise BadInput(f"No unit can go: every layer is down to {self.limits}.")

    def plan(self, count: int) -> Tensor:
        """The plan with the `count` least important portions gone as well."""
        return with_removed(self.removed, self.candidates[:count])

    def latency(self, count: int) -> float:
        """Measured, as a share of the whole network's."""
        plan = self._measured(count)
        smaller = prune(self.network, plan) if plan.any() else self.network
        return latency_share(self.whole, smaller, report=self._measuring())

    def beyond(self, count: int, name: str, number: float) -> str | None:
        """The clause that says that a plan spends a budget."""
        plan = self._measured(count)
        outcome = evaluate(self.network, self.validation, plan, self._measuring())
        return spent(name, number, metrics_of(outcome, self.costs, plan))

    def _measured(self, count: int) -> Tensor:
        self.measurements += 1
        return self.plan(count)

    def _measuring(self) -> Report:
        steps = len(self.candidates).bit_length() + 1
        share = min(self.measurements, steps) / (steps + 1)
        return staying(self.report, share, f"measurement {self.measurements} of about {steps}")


def furthest(search: Search, name: str, number: float) -> SearchResult:
    """Of a latency the least, of a budget the most that can go; the plan found has been measured itself.

    Neither need change in one direction as units go: next to the plan found lies one on the other side of the goal, but
    there may be others. A latency is measured once more in the end, and units go until it holds then too. Raises
    BadInput if nothing can go, or all of it is not enough.
    """
    return _fast_enough(search, number) if name == LATENCY else _within(search, name, number)


def _within(search: Search, name: str, number: float) -> SearchResult:
    first = search.beyond(1, name, number)
    if first:
        goal = GOALS[name].in_words(number)
        raise BadInput(f"Nothing can go ({goal}): without the next to go, {first}.")
    _, count = _boundary(lambda n: search.beyond(n, name, number) is not None, 1, len(search.candidates) + 1)
    return SearchResult(search.plan(count - 1), search.measurements)


def _fast_enough(search: Search, share: float) -> SearchResult:
    most = len(search.candidates)
    if (left := search.latency(most)) > share:
        raise BadInput(
            f"{LATENCY}={share:g} can't be reached: with every layer at {search.limits}, {left:.3f} of the latency is "
            "left."
        )
    if (left := search.latency(0)) <= share:
        raise BadInput(f"{left:.1%} of the latency is left already: there is nothing to remove.")
    _, count = _boundary(lambda n: search.latency(n) <= share, 0, most)
    while (left := search.latency(count)) > share and count < most:
        count = min(most, count + max(1, most // 50))
    return SearchResult(search.plan(count), search.measurements, left)


def _boundary(holds: Callable[[int], bool], low: int, high: int) -> tuple[int, int]:
    """Two neighbours: `low` or what does not hold, and `high` or what does."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return low, high
