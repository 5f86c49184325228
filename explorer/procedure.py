"""The procedure: rank, remove the least important units, fine-tune a little, repeat until the target is reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor, nn

from explorer import joint
from explorer.costs import Costs, measure_costs
from explorer.criteria import CRITERIA, check_applies
from explorer.data import Batches
from explorer.errors import BadInput
from explorer.evaluate import evaluate
from explorer.evidence import gather
from explorer.finetune import Minibatch, Recipe, minibatches, train
from explorer.limits import FREE, Limits
from explorer.networks.network import Network, with_weights_of
from explorer.oracle import oracle
from explorer.plan import check_target, nothing, over_all_units, remove_towards, remove_until, share_left
from explorer.progress import Report, silent
from explorer.ranking import charges, check_price, check_scaling, scaled
from explorer.regrowth import regrown
from explorer.selectors import JOINT, ORACLE, SELECTORS
from explorer.surgery import prune
from explorer.timeline import Metrics, metrics_of

SEEDS = 1_000_003  # between the dropout seeds of two runs


@dataclass(frozen=True)
class Settings:
    """How to prune. The defaults are the paper's where it names one."""

    criterion: str = "taylor"  # or any other of the SELECTORS
    measure: str = "units"  # what the target counts: "units", "params" or "flops"
    target: float = 0.5  # the share of it that is left, 0 to 1
    scaling: str = "l2"
    price: str = "flops"
    penalty: float = 0.0  # a unit's price counts this much against it; of FLOPs, the paper's value is 1e-3
    step: int = 1  # units removed between two rankings
    further: bool = False  # joint: more than a step of units, as long as they change nothing
    limits: Limits = FREE
    updates: int = 0  # fine-tuning minibatches after each step
    recipe: Recipe = field(default_factory=Recipe)
    least_accuracy: float = 0.0  # 0 to 1, on the validation images: a state below it is the last
    seed: int = 0

    def __post_init__(self) -> None:
        if self.criterion not in SELECTORS:
            raise BadInput(f"Unknown criterion '{self.criterion}'; known are {', '.join(SELECTORS)}.")
        check_scaling(self.scaling)
        check_price(self.price, self.penalty)
        if self.step < 1 or self.updates < 0:
            raise BadInput(
                f"A step of {self.step} units with {self.updates} updates is not possible: at least 1 and 0."
            )
        check_target(self.measure, self.target)
        if not 0 <= self.least_accuracy < 1:
            raise BadInput(f"A least accuracy of {self.least_accuracy:g} is not possible: at least 0, below 1.")


@dataclass(frozen=True, eq=False)
class Step:
    """Where the procedure stands after one step."""

    number: int  # 0 = the network that the procedure started from
    network: Network  # pruned, and fine-tuned where updates were asked for
    removed: Tensor  # (units,) bool over the units of the network as loaded
    metrics: Metrics
    pruned: Metrics | None = None  # before fine-tuning, where there is some
    updates: int = 0  # minibatches since the network as loaded


def iterate(
    network: Network,
    calibration: Batches,
    finetuning: Batches,
    validation: Batches,
    settings: Settings,
    report: Report = silent,
    start: Step | None = None,
) -> Iterator[Step]:
    """Every state from the network as given to the target, each evaluated on the validation images.

    Saliencies are estimated anew, in eval mode on the calibration images, before each step. With `start`, a state
    that the same settings gave before, only the states after it: the same that would have come without the stop. It
    may also be any other state of a network pruned from this one. The first state below `least_accuracy` is the last.
    Raises BadInput before any work where the target can't be reached.
    """
    if settings.criterion in CRITERIA:
        check_applies(settings.criterion, network)
    costs, whole = measure_costs(network), nothing(network.units)
    check_reachable(costs, whole if start is None else start.removed, settings)
    stage = partial(_stage, report, costs, settings)
    if start is None:
        outcome = evaluate(network, validation, report=stage(whole, whole))
        start = Step(0, network, whole, metrics_of(outcome, costs, whole))
        yield start
    step, base = start, regrown(network, start.network, start.removed) if start.updates else network
    said = _said(network, calibration, settings, stage(step.removed, step.removed))
    charge = charges(settings.price, settings.penalty, network, costs, stage(step.removed, step.removed))
    stream = minibatches(finetuning, settings.recipe.batch_size, settings.seed, start.updates)
    while share_left(costs, step.removed, settings.measure) > settings.target:
        charged = charge(step.removed)[~step.removed]
        removed = _next(step, costs, charged, calibration, said, settings, stage(step.removed, step.removed))
        if settings.updates:
            of_step = partial(stage, step.removed, removed)
            step = _tuned(step, removed, stream, validation, costs, settings, network.module, of_step)
        else:
            smaller = prune(base, removed)
            outcome = evaluate(smaller, validation, report=stage(step.removed, removed, 0.5, 1))
            step = Step(step.number + 1, smaller, removed, metrics_of(outcome, costs, removed), None, step.updates)
        yield step
        if step.metrics.accuracy < settings.least_accuracy:
            return


def check_reachable(costs: Costs, removed: Tensor, settings: Settings) -> None:
    """Raise BadInput where the floors of the layers stand above the target."""
    equal = torch.zeros(len(removed))
    remove_until(costs, removed, equal, settings.measure, settings.target, settings.limits)


def _stage(
    report: Report, costs: Costs, settings: Settings, before: Tensor, after: Tensor, first: float = 0, last: float = 1
) -> Report:
    """Enter a stage: its work takes the bar from `first` to `last` (0 to 1) of the way between two plans."""
    left = share_left(costs, after, settings.measure)
    where = f"{int(after.sum())} units removed, {left:.1%} of the {settings.measure} left"
    ends = [min(1.0, (1 - share_left(costs, p, settings.measure)) / (1 - settings.target)) for p in (before, after)]

    def staged(done: int, total: int, note: str = "") -> None:
        way = first + (last - first) * done / total
        report(round(1000 * (ends[0] + (ends[1] - ends[0]) * way)), 1000, "; ".join(filter(None, (where, note))))

    staged(0, 1)
    return staged


def _tuned(
    step: Step, removed: Tensor, stream: Iterator[Minibatch], validation: Batches, costs: Costs, settings: Settings,
    teacher: nn.Module, stage: Callable[[float, float], Report],
) -> Step:  # fmt: skip
    """The step that removes more units and fine-tunes what is left, evaluated before and after that.

    teacher: the unpruned network's module, for a recipe that distils.
    """
    smaller = prune(step.network, removed[~step.removed])
    pruned = metrics_of(evaluate(smaller, validation, report=stage(0, 0.2)), costs, removed)
    seed = settings.seed * SEEDS + step.updates  # dropout differs from step to step
    module = train(
        smaller.module, stream, settings.updates, settings.recipe,
        seed=seed, report=stage(0.2, 0.8), teacher=teacher if settings.recipe.distillation else None,
    )  # fmt: skip
    tuned = with_weights_of(smaller, module)
    found = metrics_of(evaluate(tuned, validation, report=stage(0.8, 1)), costs, removed)
    return Step(step.number + 1, tuned, removed, found, pruned, step.updates + settings.updates)


def _said(network: Network, images: Batches, settings: Settings, report: Report) -> Tensor | None:
    """(N, classes) logits of the network that the procedure started from, where the choice of units asks for them."""
    return evaluate(network, images, report=report).logits if settings.criterion == JOINT else None


def _next(
    step: Step, costs: Costs, charge: Tensor, images: Batches, said: Tensor | None, settings: Settings, report: Report
) -> Tensor:
    """The plan after one more step: `step` units, or the fewer that the target still asks for."""
    aim, count = (settings.measure, settings.target), settings.step
    if said is not None:
        return joint.advance(
            step.network, costs, images, said, step.removed, aim, count, charge, report,
            further=settings.further, limits=settings.limits,
        )  # fmt: skip
    saliency = over_all_units(_saliency(step.network, charge, images, settings, report), step.removed)
    return remove_towards(costs, step.removed, saliency, count, aim, settings.limits)


def _saliency(network: Network, charge: Tensor, images: Batches, settings: Settings, report: Report) -> Tensor:
    """(units,) of the network so far."""
    if settings.criterion == ORACLE:
        return scaled(oracle(network, images, report=report).oracle_abs, network.units, "none", charge)
    criterion = CRITERIA[settings.criterion]
    evidence = gather(network, images, criterion.needs, seed=settings.seed, report=report)
    return scaled(criterion.saliency(evidence), network.units, settings.scaling, charge)
