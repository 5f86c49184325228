"""Results: what pages show, computed once for each network, images and plan, and shared by all browser sessions."""

from __future__ import annotations

import hashlib
import time
from typing import NamedTuple

import streamlit as st
from torch import Tensor

from explorer.evaluation.evaluate import Outcome, evaluate
from explorer.jobs.job import QUICK, SCORES, Job
from explorer.networks.feature_maps import max_pooled, unit_maps
from explorer.networks.graph.trace import why_no_graph
from explorer.networks.surgery import prune
from explorer.pruning.plan import over_all_units
from explorer.scoring.criteria import score
from explorer.scoring.evidence import Evidence, gather_in_stages, gather_of_weights
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.workspace import Workspace

Saliencies = dict[str, Tensor]


class Scored(NamedTuple):
    """All criteria's saliencies; and of the network as loaded, what they were computed from."""

    saliencies: Saliencies  # criterion -> (units,) over all units, those removed at infinity
    evidence: Evidence | None


def measuring_job(workspace: Workspace, removed: Tensor, lane: str = QUICK, label: str = "") -> Job:
    """The job that runs the validation images through the network with these units gated; its result: an Outcome.

    label: its title, in place of the number of units that go.
    """
    called = label or f"Measuring loss and accuracy without {int(removed.sum()):,} units"

    def work(job: Job) -> Outcome:
        return evaluate(workspace.network, workspace.validation, removed, job.report)

    return JOBS.ensure(_measure_key(workspace, removed), called, work, lane)


def find_measuring_job(workspace: Workspace, removed: Tensor) -> Job | None:
    """That job, if there is one already."""
    return JOBS.find(_measure_key(workspace, removed))


def measured_before(workspace: Workspace, removed: Tensor) -> Outcome | None:
    """The outcome of these units gated, where it is known already."""
    job = find_measuring_job(workspace, removed)
    return job.result if job else None


def _measure_key(workspace: Workspace, removed: Tensor) -> str:
    return f"measure-{workspace.key}-{plan_digest(removed)}"


def plan_digest(removed: Tensor) -> str:
    """SHA-256 of a plan."""
    return hashlib.sha256(removed.numpy().tobytes()).hexdigest()


def scoring_job(workspace: Workspace, removed: Tensor) -> Job:
    """The job that scores every unit left by all criteria, in the network without the removed units.

    Its result: Scored, without images of those that read weights alone; the partial one lacks what takes longest.
    """

    def work(job: Job) -> Scored:
        network = prune(workspace.network, removed)
        if workspace.given is None:
            return Scored(_spread(score(gather_of_weights(network)), removed), None)
        for evidence in gather_in_stages(network, workspace.calibration, report=job.report):
            job.publish(Scored(_spread(score(evidence), removed), None if removed.any() else evidence))
        return job.partial

    return JOBS.ensure(_score_key(workspace, removed), "Scoring every unit by all criteria", work, SCORES)


def find_scoring_job(workspace: Workspace, removed: Tensor) -> Job | None:
    """That job, if there is one already."""
    return JOBS.find(_score_key(workspace, removed))


def _score_key(workspace: Workspace, removed: Tensor) -> str:
    return f"score-{workspace.key}-{plan_digest(removed)}"


def _spread(found: Saliencies, removed: Tensor) -> Saliencies:
    return {name: over_all_units(saliency, removed) for name, saliency in found.items()}


@st.cache_resource(max_entries=8, show_spinner=False)
def pooled_layers(key: str, _workspace: Workspace) -> frozenset[str]:
    """Names of the layers that a max-pooling follows."""
    return max_pooled(_workspace.network)


@st.cache_resource(max_entries=8, show_spinner=False)
def one_picture_seconds(key: str, _workspace: Workspace) -> float:
    """Seconds that all feature maps of one image take on this computer."""
    begun = time.perf_counter()
    x, _ = next(iter(_workspace.calibration.picked([0])))
    unit_maps(_workspace.network, x[0])
    return time.perf_counter() - begun


@st.cache_resource(max_entries=8, show_spinner=False)
def why_no_export(key: str, _workspace: Workspace) -> str:
    """The sentence that says why the network can't be exported; "" where it can."""
    return why_no_graph(_workspace.network.module, _workspace.network.name)


@st.cache_resource(max_entries=8, show_spinner=False)
def first_image_maps(key: str, _workspace: Workspace) -> dict[str, Tensor]:
    """Layer -> (units, H, W): the feature maps of the first calibration image."""
    x, _ = next(iter(_workspace.calibration))
    return unit_maps(_workspace.network, x[0])
