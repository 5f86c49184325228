"""Results: what pages show, computed once for each network, images and plan, and shared by all browser sessions."""

from __future__ import annotations

import hashlib
from pathlib import Path

import streamlit as st
from torch import Tensor

from explorer.criteria import score
from explorer.data import Batches
from explorer.errors import BadInput
from explorer.evaluate import Outcome, evaluate
from explorer.evidence import gather_in_stages
from explorer.export.files import write_whole
from explorer.feature_maps import max_pooled, unit_maps
from explorer.load import batches_for
from explorer.networks.units import Units
from explorer.oracle import Oracle, oracle_bytes, oracle_steps, read_oracle
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
    criteria that take longest.
    """

    def work(job: Job) -> Saliencies:
        network, found = prune(workspace.network, removed), Saliencies()
        for evidence in gather_in_stages(network, workspace.calibration, report=job.report):
            found = _spread(score(evidence), removed)
            job.publish(found)
        return found

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
    """The key of the oracle's job and of its kept result; it goes on where the same images are wanted, and more."""
    images = workspace.images
    return f"oracle-{workspace.network.digest}-{images.digest}-{images.seed}"


def calibration_of(workspace: Workspace, images: int) -> Batches:
    """So many calibration images: the workspace's own, or more of them."""
    if images == len(workspace.calibration):
        return workspace.calibration
    return batches_for(workspace.network, workspace.images, "calibration", images)


def start_oracle(workspace: Workspace, images: int, until_settled: bool) -> None:
    """Start the job that ablates every unit on so many calibration images, from where an earlier one stopped.

    Its partial result is the oracle as far as it is known. With `until_settled` it ends as soon as the ranks settle.
    """
    batches, known = calibration_of(workspace, images), _kept_oracle(workspace)

    def work(job: Job) -> Oracle:
        for found in oracle_steps(workspace.network, batches, known=known, report=job.report):
            write_whole(_oracle_path(workspace), oracle_bytes(found))
            if job.partial is None or found.whole or found.images >= 2 * job.partial.images:
                job.publish(found)  # each time twice as much: pages redraw a few times, not at every batch
            if until_settled and found.settled:
                break
        return found

    JOBS.submit(oracle_key(workspace), "The oracle of every unit", work, LONG)


def oracle(workspace: Workspace) -> Oracle | None:
    """The oracle as far as it is known, or None."""
    job = JOBS.find(oracle_key(workspace))
    if job and job.result is not None:
        return job.result
    if job and job.active and job.partial is not None:
        return job.partial
    return _kept_oracle(workspace)


def _oracle_path(workspace: Workspace) -> Path:
    name = hashlib.sha256(oracle_key(workspace).encode()).hexdigest()
    return workdir() / "results" / f"oracle-{name[:32]}.safetensors"


def _kept_oracle(workspace: Workspace) -> Oracle | None:
    """What an earlier job kept, or None where there is nothing that can be read: then it is simply run again."""
    path = _oracle_path(workspace)
    try:
        return _read(path, path.stat().st_mtime_ns, workspace.network.units)
    except (BadInput, FileNotFoundError):
        return None


@st.cache_resource(max_entries=2, show_spinner=False)
def _read(path: Path, written: int, _units: Units) -> Oracle:
    """The oracle of a file as it was written at that time."""
    return read_oracle(path, _units)
