"""Race: selectors on equal terms. Each prunes the same network step by step, with the same updates in between.

All lanes start from the network as given, and have the same images, steps, recipe and number of updates. A lane's seed
decides the order of its minibatches, dropout and chance, so lanes of one seed share these as well. The lanes of a seed
take their steps in turns, so that all their curves grow together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from explorer.core.errors import BadInput
from explorer.core.progress import Report, in_turns, silent
from explorer.core.text import quoted
from explorer.data import Splits
from explorer.evaluation.evaluate import Latency, measure_latencies
from explorer.evaluation.metrics import Metrics
from explorer.networks.costs import measure_costs
from explorer.networks.network import Network
from explorer.networks.units import Label, newly_removed, none_removed
from explorer.pruning.procedure import iterate
from explorer.pruning.selectors import check_applies, check_known, selector_of
from explorer.pruning.settings import Settings
from explorer.pruning.stop_rules import check_reachable
from explorer.scoring.linearise import EXACT_CLASSES

LaneKey = tuple[str, int]  # selector, seed

RANDOM = "random"
DRAWN = ("curvature", "linear_change")  # evidence that is drawn where there are many classes


@dataclass(frozen=True)
class RaceTerms:
    """The terms of a race: every selector with every seed, and the settings that all lanes share."""

    selectors: tuple[str, ...]
    seeds: tuple[int, ...]
    settings: Settings  # of which each lane has its own criterion and seed
    timed: bool = False  # whether the pruned networks' latency is measured; no two races need agree in it

    def __post_init__(self) -> None:
        for name, values in (("selector", self.selectors), ("seed", self.seeds)):
            if not values or len(set(values)) < len(values):
                raise BadInput(f"A race needs at least one {name}, and each only once, not {list(values)}.")
        for selector in self.selectors:
            check_known(selector)
        for seed in self.seeds:
            if type(seed) is not int:  # it names a file
                raise BadInput(f"A seed must be a whole number, not {quoted(seed)}.")

    @property
    def truth(self) -> str | None:
        """The selector that measures every unit, if it races: the others' choices are compared with its own."""
        return next((name for name in self.selectors if selector_of(name).measured), None)

    def of_lane(self, selector: str, seed: int) -> Settings:
        """The settings of one lane."""
        return replace(self.settings, criterion=selector, seed=seed)

    def lanes(self, network: Network) -> list[LaneKey]:
        """(selector, seed) of all lanes, seed by seed; where the seed decides nothing, only with the first."""
        return [
            (selector, seed)
            for seed in self.seeds
            for selector in self.selectors
            if seed == self.seeds[0] or self.seeded(selector, network)
        ]

    def seeded(self, selector: str, network: Network) -> bool:
        """Whether another seed makes another lane; without updates, of most selectors it does not."""
        needs = selector_of(selector).needs
        drawn = len(network.classes) > EXACT_CLASSES and any(part in DRAWN for part in needs)
        return self.settings.updates > 0 or "seed" in needs or drawn


@dataclass(frozen=True)
class PointLatency:
    """Latency of the network at a point and of the one that the race started from, measured in turn."""

    full: Latency
    pruned: Latency

    @property
    def share(self) -> float:
        """The pruned network's time as a share of the full one's."""
        return self.pruned.share_of(self.full)


@dataclass(frozen=True)
class RacePoint:
    """The state of a lane after one step."""

    metrics: Metrics  # after the step's fine-tuning, where there is some
    pruned: Metrics | None  # before it: right after the units went
    removed: tuple[Label, ...]  # the units that went with this step
    speed: PointLatency | None = None


@dataclass(frozen=True)
class Lane:
    """One selector's way down with one seed."""

    selector: str
    seed: int
    every_seed: bool  # any other seed gives the same lane
    points: tuple[RacePoint, ...] = ()  # the first is the network as given
    finished: bool = False


Race = tuple[Lane, ...]
"""The lanes so far, in the order of `Terms.lanes`."""


def race(
    network: Network, splits: Splits, terms: RaceTerms, held: Iterable[Lane] = (), report: Report = silent
) -> Iterator[Race]:
    """The race so far after every step of any lane: one step of each lane of the first seed, then the next of each.

    held: finished lanes of the same race, which are not run again. The same terms give the same race, bit for bit on
    one device at one thread count, except for latency. Raises BadInput before any work where a selector can't score
    the network, or the target can't be reached.
    """
    check(network, splits, terms)
    wanted = terms.lanes(network)
    lanes = {(lane.selector, lane.seed): lane for lane in held if lane.finished}
    names = [
        f"{selector_of(selector).title}, seed {seed} (lane {number} of {len(wanted)})"
        for number, (selector, seed) in enumerate(wanted, 1)
    ]
    reports = dict(zip(wanted, in_turns(report, names), strict=True))
    for each in lanes:
        reports[each](1, 1, "kept")
    for seed in terms.seeds:
        runs = {each: _run(network, splits, terms, *each, reports[each]) for each in wanted if each[1] == seed}
        for each, lane in _by_turns({each: run for each, run in runs.items() if each not in lanes}):
            lanes[each] = lane
            yield tuple(lanes[one] for one in wanted if one in lanes)


def _by_turns(runs: Mapping[LaneKey, Iterator[Lane]]) -> Iterator[tuple[LaneKey, Lane]]:
    """What each run yields first, then what each yields next, until all have ended."""
    going = dict(runs)
    while going:
        for each, run in list(going.items()):
            try:
                yield each, next(run)
            except StopIteration:
                del going[each]


def check(network: Network, splits: Splits, terms: RaceTerms) -> None:
    """Raise BadInput if such a race can't be run."""
    for selector in terms.selectors:
        check_applies(selector, network)
    if terms.settings.updates and "finetune" not in splits:
        raise BadInput("A race with updates needs images for fine-tuning.")
    check_reachable(measure_costs(network), none_removed(network.units), terms.settings)


def _run(
    network: Network, splits: Splits, terms: RaceTerms, selector: str, seed: int, report: Report
) -> Iterator[Lane]:
    lane, before = Lane(selector, seed, not terms.seeded(selector, network)), none_removed(network.units)
    for step in iterate(network, splits, terms.of_lane(selector, seed), report):
        speed = PointLatency(*measure_latencies([network, step.network])) if terms.timed else None
        point = RacePoint(step.metrics, step.pruned, newly_removed(network.units, before, step.removed), speed)
        lane, before = replace(lane, points=(*lane.points, point)), step.removed
        yield lane
    yield replace(lane, finished=True)
