"""Linearised results: the joint order of all units, and predictions before the measurement is there."""

from __future__ import annotations

import threading
from collections import deque
from functools import partial

from torch import Tensor

from explorer.core.progress import Report
from explorer.evaluation.evaluate import Outcome, evaluate
from explorer.jobs.job import SCORES, SPARE, Job
from explorer.networks.gates import open_gates
from explorer.networks.surgery import prune
from explorer.pruning.plan import over_all_units
from explorer.pruning.selectors import Candidates, Selector
from explorer.scoring.linearise import Linearisation
from explorer.scoring.predict import linearise_all, predict
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.results import plan_digest
from explorer.ui.work.workspace import Workspace

JOINTLY = 1024  # units whose order is decided together; the others follow by what each would add then
MAX_SLOPES = 2**26  # slopes of a linearisation that are kept: 256 MB
LINEARISATIONS_KEPT = 3  # linearisations
_RECENT: deque[str] = deque()  # their keys
_LOCK = threading.Lock()


def ordering_job(
    selector: Selector, loaded: Workspace, workspace: Workspace, removed: Tensor, charge: Tensor | None
) -> Job:
    """The job that has a selector rank every unit left, in the network without the removed units.

    Its result: (units,) places over all units, those removed at infinity. charge: (units,) nats, off each unit.
    loaded: the network as loaded, whose outputs are to be kept.
    """

    def work(job: Job) -> Tensor:
        network, charged = prune(workspace.network, removed), None if charge is None else charge[~removed]
        reference = partial(_logits, loaded, job.report)
        candidates = Candidates(network, workspace.calibration, reference, JOINTLY, charged)
        return over_all_units(selector.rank(candidates, job.report).saliency, removed)

    price = "" if charge is None else plan_digest(charge)
    key = f"{selector.name}-{workspace.key}-{plan_digest(removed)}-{price}"
    return JOBS.ensure(key, "Ordering units jointly", work, SCORES)


def _logits(workspace: Workspace, report: Report) -> Tensor:
    return evaluate(workspace.network, workspace.calibration, report=report).logits


def linearising_job(workspace: Workspace, removed: Tensor) -> Job | None:
    """The job that linearises the validation images with these units gated.

    None without images, or if that takes too much memory.
    """
    network = workspace.network
    if workspace.given is None or len(workspace.validation) * len(network.classes) * len(network.units) > MAX_SLOPES:
        return None

    def work(job: Job) -> Linearisation:
        return linearise_all(network, workspace.validation, open_gates(removed), job.report)

    key = f"linear-{workspace.key}-{plan_digest(removed)}"
    with _LOCK:
        _keep(key)
    if (job := JOBS.find(key)) and job.state == "cancelled":
        JOBS.forget(key)
    return JOBS.ensure(key, "Linearising", work, SPARE)


def _keep(key: str) -> None:
    """Let older linearisations go; of those not done, only the latest goes on."""
    if key in _RECENT:
        _RECENT.remove(key)
    _RECENT.append(key)
    for older in list(_RECENT)[:-1]:
        if (job := JOBS.find(older)) and job.active:
            job.cancel()
            _RECENT.remove(older)
    while len(_RECENT) > LINEARISATIONS_KEPT:
        JOBS.forget(_RECENT.popleft())


def predicted_outcome(workspace: Workspace, removed: Tensor, plan: Tensor) -> Outcome | None:
    """The predicted metrics of a plan that goes on from `removed`; None until the linearisation is there."""
    job = linearising_job(workspace, removed)
    return None if job is None or job.result is None else predict(job.result, plan & ~removed)
