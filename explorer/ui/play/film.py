"""Film: the states from the one in view to the last unit, measured one after the other, with the rival beside each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from math import ceil

from torch import Tensor

from explorer.core.errors import BadInput
from explorer.core.progress import Report
from explorer.evaluation.evaluate import Outcome, evaluate
from explorer.evaluation.metrics import Metrics, metrics_of
from explorer.networks.surgery import prune
from explorer.networks.units import none_removed
from explorer.pruning.plan import remove_next
from explorer.pruning.selectors import scaling_for
from explorer.pruning.to_the_end import milestones, plans_anew, plans_by
from explorer.scoring.criteria import CRITERIA
from explorer.scoring.evidence import gather_of_weights
from explorer.scoring.ranking import charges, scaled
from explorer.ui.choosing.controls import RankingChoice
from explorer.ui.components.play.play import Shot
from explorer.ui.work.measurements import Measured, measured_earlier, remember
from explorer.ui.work.results import Saliencies, measured_before, plan_digest, scoring_job
from explorer.ui.work.session import View
from explorer.ui.work.workspace import Workspace

STEPS = 40  # from the whole network to its last unit
PICTURES = 24  # images in view
CHANCE = "random"  # the rival
POLL_SECONDS = 0.05  # seconds between two looks at a job whose result is needed


@dataclass(eq=False)
class Film:
    """The states so far: written by the job that measures them, read by any number of pages."""

    name: str  # its key
    chosen: RankingChoice
    start: int  # number of the state that it starts from
    expected: int  # states, at most
    early: bool = False  # measured before anybody asked, and kept in no run
    shots: list[Shot] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)  # of the run's states that these are


def film_of(view: View, chosen: RankingChoice, early: bool = False) -> Film:
    """A film without a state, from the state in view."""
    return Film(film_key(view, chosen), chosen, view.timeline.current, len(_counts(view, chosen)) + 1, early)


def _counts(view: View, chosen: RankingChoice) -> list[int]:
    return milestones(view.loaded.network.units, view.removed, chosen.limits, STEPS)


def shots(view: View, chosen: RankingChoice, report: Report) -> Iterator[tuple[Tensor, Shot]]:
    """Plan and measurement of the state in view, and of each that follows it in equal steps, to the end."""
    rival = None if chosen.criterion == CHANCE else CRITERIA[CHANCE].saliency(gather_of_weights(view.loaded.network))

    def measured(plan: Tensor) -> Measured:
        known = measured_earlier(view.workspace, plan)
        return known or remember(view.workspace, plan, _measured(view.workspace, plan, report))

    def beside(plan: Tensor, saliency: Tensor) -> Metrics:
        gone = int((plan & ~view.removed).sum())
        units = view.loaded.network.units
        return measured(remove_next(units, view.removed, saliency, gone, chosen.limits) if gone else plan).metrics

    for plan in chain([view.removed], _plans(view, chosen, report)):
        found = measured(plan)
        other = None if rival is None else beside(plan, rival)
        yield plan, Shot(found.metrics, *widths_and_flops(view.loaded, plan), found.answers, other)


def widths_and_flops(loaded: Workspace, plan: Tensor) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Of each prunable layer the units that a plan leaves, and the FLOPs that its convolutions still cost."""
    units, flops = loaded.network.units, loaded.costs.flops_by_module(plan)
    gone = units.by_layer(plan)
    kept = tuple(int((~gone[layer.name]).sum()) for layer in units.layers)
    return kept, tuple(sum(flops[writer] for writer in layer.writers) for layer in units.layers)


def film_key(view: View, chosen: RankingChoice) -> str:
    """Names everything that its states depend on."""
    return f"play-{view.workspace.key}-{plan_digest(view.removed)}-{chosen}"


def _measured(workspace: Workspace, plan: Tensor, report: Report) -> Measured:
    if workspace.given is None:
        report(0, 1, "")
        return Measured(metrics_of(None, workspace.costs, plan))
    known = measured_before(workspace, plan)  # else of the pruned network: the narrower, the sooner it is measured
    outcome = known or evaluate(prune(workspace.network, plan), workspace.validation, report=report)
    return Measured(metrics_of(outcome, workspace.costs, plan), answers_of(outcome))


def answers_of(outcome: Outcome) -> tuple[int, ...]:
    """The predicted class of each image in view: the first ones."""
    return tuple(outcome.logits[:PICTURES].argmax(1).tolist())


def _plans(view: View, chosen: RankingChoice, report: Report) -> Iterator[Tensor]:
    """The plans of the way: by a ranking of the network as loaded, or ranked anew before each step."""
    workspace, counts = view.workspace, _counts(view, chosen)
    if chosen.anew:
        splits = {"calibration": workspace.calibration} if workspace.given else {}
        step = ceil(len(workspace.network.units) / STEPS)
        settings = chosen.settings("units", 0.5, step)
        return plans_anew(workspace.network, workspace.costs, splits, view.removed, settings, report)
    return plans_by(workspace.network.units, view.removed, _ranked(view, chosen, report), counts, chosen.limits)


def _ranked(view: View, chosen: RankingChoice, report: Report) -> Callable[[Tensor], Tensor]:
    """Plan -> what its units are ranked by: the same as the buttons of single steps take."""
    loaded = view.loaded
    raw = _scored(loaded, chosen.criterion, report)[chosen.criterion]
    scaling = scaling_for(chosen.criterion, chosen.scaling)
    charge = charges(chosen.price, chosen.penalty, loaded.network, loaded.costs, report) if chosen.penalty else None
    return lambda plan: scaled(raw, loaded.network.units, scaling, charge(plan) if charge else None)


def _scored(workspace: Workspace, needed: str, report: Report) -> Saliencies:
    """Saliencies by criterion, `needed` among them, from the job that scores them for all pages.

    Raises BadInput where that has failed.
    """
    job = scoring_job(workspace, none_removed(workspace.network.units))
    while job.active and not (job.partial and needed in job.partial.saliencies):
        report(0, 1, job.label)
        job.wait(POLL_SECONDS)
    found = job.result or job.partial
    if found is None or needed not in found.saliencies:
        raise BadInput(f"{job.label}: {job.error or job.state}.")
    return found.saliencies
