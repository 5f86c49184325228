"""The procedure: rank, remove the least important units, fine-tune a little, repeat until the target is reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial

from torch import Tensor

from explorer.core.progress import Report, silent, within
from explorer.data import Batches, Splits
from explorer.evaluation.evaluate import evaluate, latency_share
from explorer.evaluation.metrics import Metrics, metrics_of
from explorer.networks.costs import Costs, measure_costs
from explorer.networks.network import Network, with_weights_of
from explorer.networks.surgery import prune
from explorer.networks.units import none_removed
from explorer.networks.whole_shape import regrown
from explorer.pruning.goals import LATENCY, check_fast_enough
from explorer.pruning.plan import over_all_units, remove_towards, share_left
from explorer.pruning.selectors import SELECTORS, Candidates, check_applies
from explorer.pruning.settings import UPDATES, Settings
from explorer.pruning.stop_rules import check_reachable, check_within, exhausted, reached
from explorer.scoring.criteria import CRITERIA
from explorer.scoring.evidence import gather
from explorer.scoring.ranking import charges
from explorer.training.finetune import Minibatch, Training, minibatches, train
from explorer.training.update_evidence import train_observed

SEEDS = 1_000_003  # between the dropout seeds of two runs
OBSERVED = 1024  # images of the updates that a ranking comes from, the last ones: more take memory


@dataclass(frozen=True, eq=False)
class PruningStep:
    """Where the procedure stands after one step."""

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
    """Every state from the network as given to the target, each evaluated on the validation images.

    Saliencies are estimated anew before each step: in eval mode on the calibration images, or from the updates of the
    step before. With `start`, a state that the same settings gave before, only the states after it: the same that
    would have come without the stop. It may also be any other state of a network pruned from this one. The first state
    beyond a budget is the last; so is one from which no unit can go any more. on_loss: is told each update's loss.
    Raises BadInput before any step where the target can't be reached, or a budget is spent already.
    """
    check_applies(settings.criterion, network)
    calibration, validation = splits["calibration"], splits["validation"]
    finetuning = splits.get("finetune", calibration)  # without updates, nothing of it is read
    costs, whole = measure_costs(network), none_removed(network.units)
    check_reachable(costs, whole if start is None else start.removed, settings)
    bar = Bar(report, costs, settings)
    step = start or _pruned(None, network, whole, costs, validation, bar.at(whole))
    check_within(settings, step.metrics)
    step = _timed(network, step, settings, bar.at(step.removed))
    if settings.measure == LATENCY and not reached(costs, step.removed, step.metrics, settings):
        check_fast_enough(network, costs, settings.target, settings.limits, bar.at(step.removed))
    if start is None:
        yield step
    base = regrown(network, step.network, step.removed) if step.updates else network
    begun = bar.at(step.removed)
    reference = cache(lambda: evaluate(network, calibration, report=begun).logits)
    charge = charges(settings.price, settings.penalty, network, costs, bar.at(step.removed))
    stream = minibatches(finetuning, settings.recipe.batch_size, settings.seed, step.updates)
    updating = Updating(stream, calibration, validation, settings, network, on_loss)
    while not (reached(costs, step.removed, step.metrics, settings) or exhausted(costs, step.removed, settings)):
        charged = charge(step.removed)[~step.removed]
        candidates = _candidates(step, calibration, reference, charged, settings)
        removed = _next(step, costs, candidates, settings, bar.at(step.removed))
        of_step = partial(bar.stage, step.removed, removed)
        if settings.updates:
            step = _tuned(step, removed, updating, costs, of_step)
        else:
            step = _pruned(step, prune(base, removed), removed, costs, validation, of_step(0.5, 1))
        step = _timed(network, step, settings, of_step(1, 1))
        yield step
        if settings.spent(step.metrics):
            return


def _pruned(
    step: PruningStep | None, smaller: Network, removed: Tensor, costs: Costs, validation: Batches, report: Report
) -> PruningStep:
    """The step after another that fine-tunes nothing, or the first of all, evaluated."""
    found = metrics_of(evaluate(smaller, validation, report=report), costs, removed)
    return PruningStep(step.number + 1 if step else 0, smaller, removed, found, None, step.updates if step else 0)


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
class Updating:
    """What all fine-tuning of a run has in common."""

    stream: Iterator[Minibatch]
    calibration: Batches
    validation: Batches
    settings: Settings
    unpruned: Network
    on_loss: Callable[[float], None] | None

    def training(self, seed: int) -> Training:
        """With the unpruned network as the teacher, where the recipe distils."""
        return Training(self.settings.recipe, seed, on_loss=self.on_loss).taught_by(self.unpruned)


def _tuned(
    step: PruningStep, removed: Tensor, updating: Updating, costs: Costs, stage: Callable[[float, float], Report]
) -> PruningStep:
    """The step that removes more units and fine-tunes what is left, evaluated before and after that."""
    settings, validation = updating.settings, updating.validation
    smaller = prune(step.network, removed[~step.removed])
    pruned = metrics_of(evaluate(smaller, validation, report=stage(0, 0.2)), costs, removed)
    seed = settings.seed * SEEDS + step.updates  # dropout differs from step to step
    tuned, saliency = _updated(smaller, updating, seed, stage(0.2, 0.8))
    found = metrics_of(evaluate(tuned, validation, report=stage(0.8, 1)), costs, removed)
    return PruningStep(step.number + 1, tuned, removed, found, pruned, step.updates + settings.updates, saliency)


def _updated(network: Network, how: Updating, seed: int, report: Report) -> tuple[Network, Tensor | None]:
    """The network after a step's updates, and its units' saliencies where these updates are the evidence."""
    settings, training = how.settings, how.training(seed)
    if settings.evidence != UPDATES:
        module = train(network.module, how.stream, settings.updates, training, report)
        return with_weights_of(network, module), None
    last = max(1, OBSERVED // settings.recipe.batch_size)
    tuned, seen = train_observed(network, how.stream, settings.updates, training, report, last)
    criterion = CRITERIA[settings.criterion]
    evidence = gather(tuned, how.calibration, criterion.needs, seed=settings.seed, seen=seen)
    return tuned, criterion.saliency(evidence)


def _candidates(
    step: PruningStep, images: Batches, reference: Callable[[], Tensor], charge: Tensor, settings: Settings
) -> Candidates:
    return Candidates(
        step.network,
        images,
        reference,
        count=settings.step,
        charge=charge,
        limits=settings.limits,
        scaling=settings.scaling,
        seed=settings.seed,
        further=settings.further,
        saliency=step.saliency,
    )


def _next(step: PruningStep, costs: Costs, candidates: Candidates, settings: Settings, report: Report) -> Tensor:
    """The plan after one more step: `step` units, or the fewer that the target still asks for."""
    found = SELECTORS[settings.criterion].rank(candidates, report)
    saliency = over_all_units(found.saliency, step.removed)
    return remove_towards(costs, step.removed, saliency, found.count, settings.aim, settings.limits)
