"""The procedure: rank, remove the least important units, fine-tune a little, repeat until the target is reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from explorer.costs import Costs, measure_costs
from explorer.criteria import CRITERIA
from explorer.data import Batches
from explorer.errors import BadInput
from explorer.evaluate import evaluate
from explorer.evidence import gather
from explorer.finetune import Recipe, minibatches, train
from explorer.networks.network import Network, with_weights_of
from explorer.plan import check_target, nothing, over_all_units, remove_next, remove_until, share_left
from explorer.progress import Report, silent
from explorer.ranking import SCALINGS, scaled
from explorer.surgery import prune
from explorer.timeline import Metrics, metrics_of


@dataclass(frozen=True)
class Settings:
    """How to prune. The defaults are the paper's where it names one."""

    criterion: str = "taylor"
    measure: str = "units"  # what the target counts: "units", "params" or "flops"
    target: float = 0.5  # the share of it that is left, 0 to 1
    scaling: str = "l2"
    flops_penalty: float = 0.0  # a map's MFLOPs count this much against it; the paper's value is 1e-3
    step: int = 1  # units removed between two rankings
    updates: int = 0  # fine-tuning minibatches after each step
    recipe: Recipe = field(default_factory=Recipe)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.criterion not in CRITERIA:
            raise BadInput(f"Unknown criterion '{self.criterion}'; known are {', '.join(CRITERIA)}.")
        if self.scaling not in SCALINGS:
            raise BadInput(f"Unknown scaling '{self.scaling}'; known are {', '.join(SCALINGS)}.")
        if self.step < 1 or self.updates < 0:
            raise BadInput(
                f"A step of {self.step} units with {self.updates} updates is not possible: at least 1 and 0."
            )
        check_target(self.measure, self.target)


@dataclass(frozen=True, eq=False)
class Step:
    """Where the procedure stands after one step."""

    network: Network  # pruned, and fine-tuned where updates were asked for
    removed: Tensor  # (units,) bool over the units of the network that the procedure started from
    metrics: Metrics


def iterate(
    network: Network,
    calibration: Batches,
    finetuning: Batches,
    validation: Batches,
    settings: Settings,
    report: Report = silent,
) -> Iterator[Step]:
    """Every state from the network as given to the target, each evaluated on the validation images.

    Saliencies are estimated anew, in eval mode on the calibration images, before each step. Raises BadInput before
    any work where the target can't be reached.
    """
    costs = measure_costs(network)
    removed = nothing(network.units)
    remove_until(costs, removed, torch.zeros(len(removed)), settings.measure, settings.target)  # refuses at once
    stream = minibatches(finetuning, settings.recipe.batch_size, settings.seed) if settings.updates else None
    yield Step(network, removed, metrics_of(evaluate(network, validation), costs, removed))
    while share_left(costs, removed, settings.measure) > settings.target:
        more = _next(costs, removed, _saliency(network, costs, removed, calibration, settings), settings)
        network = prune(network, more[~removed])
        removed = more
        if stream:
            tuned = train(network.module, stream, settings.updates, settings.recipe, seed=settings.seed)
            network = with_weights_of(network, tuned)
        report(*_progress(costs, removed, settings))
        yield Step(network, removed, metrics_of(evaluate(network, validation), costs, removed))


def _progress(costs: Costs, removed: Tensor, settings: Settings) -> tuple[int, int, str]:
    left = share_left(costs, removed, settings.measure)
    done = min(1000, round(1000 * (1 - left) / (1 - settings.target)))
    return done, 1000, f"{int(removed.sum())} units removed, {left:.1%} of the {settings.measure} left"


def _saliency(network: Network, costs: Costs, removed: Tensor, images: Batches, settings: Settings) -> Tensor:
    """(units left,) -> spread over the original units, (units,); those already gone stand at infinity."""
    criterion = CRITERIA[settings.criterion]
    evidence = gather(network, images, with_curvature=criterion.needs == "curvature", seed=settings.seed)
    prices = costs.unit_flops()[~removed]
    found = scaled(criterion.saliency(evidence), network.units, settings.scaling, prices, settings.flops_penalty)
    return over_all_units(found, removed)


def _next(costs: Costs, removed: Tensor, saliency: Tensor, settings: Settings) -> Tensor:
    """The plan after one more step: `step` units, or the fewer that the target still asks for."""
    step = remove_next(costs.units, removed, saliency, settings.step)
    if share_left(costs, step, settings.measure) > settings.target:
        return step
    return remove_until(costs, removed, saliency, settings.measure, settings.target)
