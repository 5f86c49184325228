"""Results: what pages show, computed once for each network, images and plan, and shared by all browser sessions."""

from __future__ import annotations

import hashlib
from pathlib import Path

import safetensors.torch
import streamlit as st
from safetensors import SafetensorError
from torch import Tensor

from explorer.criteria import score
from explorer.curvature import curvature
from explorer.errors import BadInput
from explorer.evaluate import Outcome, evaluate
from explorer.evidence import Evidence
from explorer.export.files import write_whole
from explorer.feature_maps import max_pooled, unit_maps
from explorer.observe import observe
from explorer.oracle import Oracle, reference_oracle_steps
from explorer.plan import over_all_units
from explorer.surgery import prune
from explorer.ui.jobs import JOBS, LONG, SCORES, Job
from explorer.ui.workspace import Workspace, workdir

Saliencies = dict[str, Tensor]


def measuring(workspace: Workspace, removed: Tensor) -> Job:
    """The job that runs the validation images through the network with these units gated; its result: an Outcome."""

    def work(job: Job) -> Outcome:
        return evaluate(workspace.network, workspace.validation, removed, job.report)

    return JOBS.ensure(f"measure-{workspace.key}-{plan_digest(removed)}", "Measuring loss and accuracy", work)


def plan_digest(removed: Tensor) -> str:
    """SHA-256 of a plan."""
    return hashlib.sha256(removed.numpy().tobytes()).hexdigest()


def scoring(workspace: Workspace, removed: Tensor) -> Job:
    """The job that scores every unit left by all criteria, in the network without the removed units.

    Its result is criterion -> (units,) over all units, those removed at infinity; the partial result lacks the
    criteria that need curvature.
    """

    def work(job: Job) -> Saliencies:
        network = prune(workspace.network, removed)
        seen = observe(network, workspace.calibration, job.report)
        job.publish(_spread(score(Evidence(seen)), removed))
        second = curvature(network, workspace.calibration, report=job.report)
        return _spread(score(Evidence(seen, second)), removed)

    return JOBS.ensure(
        f"score-{workspace.key}-{plan_digest(removed)}", "Scoring every unit by all criteria", work, SCORES
    )


def _spread(found: Saliencies, removed: Tensor) -> Saliencies:
    return {name: over_all_units(saliency, removed) for name, saliency in found.items()}


@st.cache_resource(max_entries=8, show_spinner=False)
def pooled_layers(key: str, _workspace: Workspace) -> frozenset[str]:
    """Names of the layers that a max-pooling follows."""
    return max_pooled(_workspace.network)


@st.cache_resource(max_entries=8, show_spinner=False)
def first_image_maps(key: str, _workspace: Workspace) -> dict[str, Tensor]:
    """Layer -> (units, H, W): the feature maps of the first calibration image."""
    x, _ = next(iter(_workspace.calibration))
    return unit_maps(_workspace.network, x[0])


def oracle_key(workspace: Workspace) -> str:
    """The key of the oracle's job and of its kept result."""
    return f"oracle-{workspace.key}"


def start_oracle(workspace: Workspace) -> None:
    """Start the job that closes every gate once; its partial result is the oracle of the images done so far."""

    def work(job: Job) -> Oracle:
        for found in reference_oracle_steps(workspace.network, workspace.calibration, job.report):
            job.publish(found)
        _keep(_kept_oracle(workspace), job.partial)
        return job.partial

    JOBS.submit(oracle_key(workspace), "The oracle of every unit", work, LONG)


def oracle(workspace: Workspace) -> Oracle | None:
    """The oracle as far as it is known: whole, of the images so far, or None."""
    job = JOBS.find(oracle_key(workspace))
    if job and (job.result or job.partial) is not None:
        return job.result or job.partial
    return _reopened(_kept_oracle(workspace), workspace)


def _kept_oracle(workspace: Workspace) -> Path:
    name = hashlib.sha256(oracle_key(workspace).encode()).hexdigest()
    return workdir() / "results" / f"oracle-{name[:32]}.safetensors"


def _keep(path: Path, found: Oracle) -> None:
    tensors = {"oracle_loss": found.oracle_loss, "standard_error": found.standard_error}
    metadata = {"images": str(found.images), "method": found.method}
    write_whole(path, safetensors.torch.save(tensors, metadata))


def _reopened(path: Path, workspace: Workspace) -> Oracle | None:
    """A kept oracle, or None where there is none that can be read: then it is simply run again."""
    if not path.is_file():
        return None
    try:
        with safetensors.safe_open(path, "pt") as file:
            about = file.metadata()
            loss, error = file.get_tensor("oracle_loss"), file.get_tensor("standard_error")
        return Oracle(workspace.network.units, loss, error, int(about["images"]), about["method"])
    except (SafetensorError, KeyError, ValueError, OSError, BadInput):
        return None
