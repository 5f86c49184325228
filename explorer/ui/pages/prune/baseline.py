"""The rival: another criterion, which removes as many units in one go, beside the steps of a run."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from explorer.evaluation.metrics import Metrics, metrics_of
from explorer.jobs.job import BESIDE, Job
from explorer.networks.units import none_removed
from explorer.pruning.plan import remove_next
from explorer.scoring.criteria import CRITERIA
from explorer.ui.choosing.controls import RankingChoice, saliencies, scaled_like
from explorer.ui.work.measurements import measured_earlier
from explorer.ui.work.results import measuring_job
from explorer.ui.work.session import View


def baseline_metrics(
    view: View, chosen: RankingChoice, counts: Sequence[int]
) -> tuple[list[Metrics], tuple[Job, object] | None]:
    """The network as loaded without its least important units, so many at each point, as far as that is measured.

    And the job that measures the next point, with its version, where there is still one: no page waits for it.
    """
    found: list[Metrics] = []
    for count in counts:
        plan = _without(view, chosen, count)
        if known := measured_earlier(view.loaded, plan):
            found.append(known.metrics)
            continue
        label = f"Measuring {CRITERIA[chosen.criterion].title} for comparison, without {count:,} units"
        job = measuring_job(view.loaded, plan, BESIDE, label)
        version, outcome = job.version, job.result
        if outcome is None:
            return found, (job, version)
        found.append(metrics_of(outcome, view.loaded.costs, plan))
    return found, None


def _without(view: View, chosen: RankingChoice, count: int) -> Tensor:
    units = view.loaded.network.units
    if not count:
        return none_removed(units)
    raw = saliencies(view, chosen.criterion)[chosen.criterion]
    return remove_next(units, none_removed(units), scaled_like(view.as_loaded, raw, chosen), count)
