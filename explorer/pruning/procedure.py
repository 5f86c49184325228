"""The procedure: rank, remove the least important units, fine-tune a little, repeat until the target is reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial

from torch import Tensor

from explorer.core.progress import Report, silent, within
from explorer.data import Splits
from explorer.evaluation.evaluate import evaluate, latency_share
from explorer.evaluation.metrics import Metrics, measured
from explorer.networks.costs import Costs, measure_costs
from explorer.networks.network import Network, with_weights_of
from explorer.networks.surgery import prune
from explorer.networks.units import none_removed
from explorer.networks.whole_shape import regrown
from explorer.pruning.goals import LATENCY, check_fast_enough
from explorer.pruning.plan import over_all_units, remove_towards, share_left
from explorer.pruning.selectors import SELECTORS, Candidates, check_applies
from explorer.pruning.settings import UPDATES, Settings
from explorer.pruning.stop_rules import check_images, check_reachable, check_within, is_exhausted, is_reached
from explorer.scoring.criteria import CRITERIA
from explorer.scoring.evidence import gather
from explorer.scoring.ranking import AtPlan, charges
from explorer.training.finetune import Minibatch, Training, minibatches, train
from explorer.training.update_evidence import train_observed

SEEDS = 1_000_003  # between the dropout seeds of two runs
OBSERVED = 1024  # images of the updates that a ranking comes from, the last ones: more take memory


@dataclass(frozen=True, eq=False)
class PruningStep:
    """The state of the procedure after one step."""

    number: int  # 0 = the network that the procedure started from
    network: Network  # pruned, and fine-tuned where updates were asked for
    removed: Tensor  # (units,) bool over the units of the network as loaded
    metrics: Metrics
    pruned: Metrics | None = None  # before fine-tuning, where there is some
    updates: int = 0  # minibatches since the network as loaded
    saliency: Tensor | None = None  # (units left,) of the criterion, where these updates were its evidence


def iterate(
    network: Network,
    splits: Splits,
    settings: Settings,
    report: Report = silent,
    start: PruningStep | None = None,
    on_loss: Callable[[float], None] | None = None,
) -> Iterator[PruningStep]:
    """Every state from the network as given to the target, each evaluated on the validation images, if there are any.

    Saliencies are estimated anew before each step: in eval mode on the calibration images, or from the updates of the
    step before. With `start`, a state that the same settings gave before, only the states after it: the same that
    would have come without the stop. It may also be any other state of a network pruned from this one. The first state
    beyond a budget is the last; so is one from which no unit can go any more. on_loss: is told each update's loss.
    Raises BadInput before any step where the target can't be reached, or a budget is spent already.
    """
    check_applies(settings.criterion, network)
    check_images(settings, splits)
    costs, whole = measure_costs(network), none_removed(network.units)
    check_reachable(costs, whole if start is None else start.removed, settings)
    bar = Bar(report, costs, settings)
    step = start or PruningStep(
        0, network, whole, measured(network, splits.get("validation"), costs, whole, bar.at(whole))
    )
    check_within(settings, step.metrics)
    step = _timed(network, step, settings, bar.at(step.removed))
    if settings.measure == LATENCY and not is_reached(costs, step.removed, step.metrics, settings):
        check_fast_enough(network, costs, settings.target, settings.limits, bar.at(step.removed))
    if start is None:
        yield step
    shared = Shared(network, splits, settings, costs, bar, step, on_loss)
    while not (is_reached(costs, step.removed, step.metrics, settings) or is_exhausted(costs, step.removed, settings)):
        removed = _chosen(shared, step)
        step = _tuned(shared, step, removed) if settings.updates else _pruned(shared, step, removed)
        step = _timed(network, step, settings, bar.at(step.removed))
        yield step
        if settings.spent(step.metrics):
            return


def _timed(network: Network, step: PruningStep, settings: Settings, report: Report) -> PruningStep:
    """The step with its latency, where that is the goal and it is not known yet."""
    if settings.measure != LATENCY or step.metrics.latency is not None:
        return step
    share = latency_share(network, step.network, report=report) if step.removed.any() else 1.0
    return replace(step, metrics=replace(step.metrics, latency=share))


@dataclass(frozen=True, eq=False)
class Bar:
    """The way to the target, for progress: it is as far as units are gone."""

    report: Report
    costs: Costs
    settings: Settings

    def stage(self, before: Tensor, after: Tensor, first: float = 0, last: float = 1) -> Report:
        """Enter a stage: its work takes the bar from `first` to `last` (0 to 1) of the way between two plans."""
        measure, target = self.settings.aim or ("units", 0.0)
        left = share_left(self.costs, after, measure)
        where = f"{int(after.sum())} units removed, {left:.1%} of the {measure} left"
        start, end = (min(1.0, (1 - share_left(self.costs, p, measure)) / (1 - target)) for p in (before, after))
        staged = within(self.report, start + (end - start) * first, start + (end - start) * last, where)
        staged(0, 1, "")
        return staged

    def at(self, removed: Tensor) -> Report:
        """Enter a stage that moves nothing."""
        return self.stage(removed, removed)


@dataclass(frozen=True, eq=False)
class Shared:
    """The values that all steps have in common, each computed once, when the first step needs it."""

    network: Network  # as loaded
    splits: Splits
    settings: Settings
    costs: Costs
    bar: Bar
    start: PruningStep
    on_loss: Callable[[float], None] | None

    @cached_property
    def whole(self) -> Network:
        """The network as loaded, with the start's weights; steps without updates are pruned from it."""
        start = self.start
        return regrown(self.network, start.network, start.removed) if start.updates else self.network

    @cached_property
    def charge(self) -> AtPlan:
        """The charge of every unit for its price, at a plan."""
        price, penalty, report = self.settings.price, self.settings.penalty, self.bar.at(self.start.removed)
        return charges(price, penalty, self.network, self.costs, report)

    @cached_property
    def logits(self) -> Tensor:
        """(N, classes) of the network as loaded, on the calibration images."""
        return evaluate(self.network, self.splits["calibration"], report=self.bar.at(self.start.removed)).logits

    @cached_property
    def stream(self) -> Iterator[Minibatch]:
        """The state of fine-tuning that is kept from step to step."""
        settings = self.settings
        return minibatches(self.splits["finetune"], settings.recipe.batch_size, settings.seed, self.start.updates)

    def metrics(self, network: Network, removed: Tensor, report: Report) -> Metrics:
        """The metrics of a pruned network, on the validation images if there are any."""
        return measured(network, self.splits.get("validation"), self.costs, removed, report)


def _chosen(shared: Shared, step: PruningStep) -> Tensor:
    """The plan after one more step: `settings.step` more units gone, or the fewer that the target still asks for."""
    settings, costs = shared.settings, shared.costs
    candidates = Candidates(
        step.network,
        shared.splits.get("calibration"),
        lambda: shared.logits,
        count=settings.step,
        charge=shared.charge(step.removed)[~step.removed],
        limits=settings.limits,
        scaling=settings.scaling,
        seed=settings.seed,
        further=settings.further,
        saliency=step.saliency,
    )
    found = SELECTORS[settings.criterion].rank(candidates, shared.bar.at(step.removed))
    saliency = over_all_units(found.saliency, step.removed)
    return remove_towards(costs, step.removed, saliency, found.count, settings.aim, settings.limits)


def _pruned(shared: Shared, step: PruningStep, removed: Tensor) -> PruningStep:
    """The step to a plan, evaluated; nothing is fine-tuned."""
    smaller = prune(shared.whole, removed)
    metrics = shared.metrics(smaller, removed, shared.bar.stage(step.removed, removed, 0.5))
    return PruningStep(step.number + 1, smaller, removed, metrics, None, step.updates)


def _tuned(shared: Shared, step: PruningStep, removed: Tensor) -> PruningStep:
    """The step to a plan, what is left fine-tuned, and evaluated before and after that."""
    settings, stage = shared.settings, partial(shared.bar.stage, step.removed, removed)
    smaller = prune(step.network, removed[~step.removed])
    before = shared.metrics(smaller, removed, stage(0, 0.2))
    seed = settings.seed * SEEDS + step.updates  # dropout differs from step to step
    tuned, saliency = _updated(shared, smaller, seed, stage(0.2, 0.8))
    metrics = shared.metrics(tuned, removed, stage(0.8, 1))
    return PruningStep(step.number + 1, tuned, removed, metrics, before, step.updates + settings.updates, saliency)


def _updated(shared: Shared, network: Network, seed: int, report: Report) -> tuple[Network, Tensor | None]:
    """The network after a step's updates, and its units' saliencies where these updates are the evidence."""
    settings, stream = shared.settings, shared.stream
    training = Training(settings.recipe, seed, on_loss=shared.on_loss).taught_by(shared.network)
    if settings.evidence != UPDATES:
        module = train(network.module, stream, settings.updates, training, report)
        return with_weights_of(network, module), None
    last = max(1, OBSERVED // settings.recipe.batch_size)
    tuned, seen = train_observed(network, stream, settings.updates, training, report, last)
    criterion = CRITERIA[settings.criterion]
    evidence = gather(tuned, shared.splits["calibration"], criterion.needs, seed=settings.seed, seen=seen)
    return tuned, criterion.saliency(evidence)
