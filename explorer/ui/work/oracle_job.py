"""Ablations: the oracle of a workspace as a job, as it is kept on disk, and how far its figures hang on the images."""

from __future__ import annotations

import hashlib
from pathlib import Path

import streamlit as st

from explorer.core.errors import BadInput
from explorer.core.files import write_whole
from explorer.data import Batches
from explorer.jobs.job import LONG, SPARE, Job
from explorer.networks.load import batches_for
from explorer.networks.units import Units, none_removed
from explorer.scoring.bootstrap import Interval, intervals
from explorer.scoring.criteria import score
from explorer.scoring.evidence import Evidence
from explorer.scoring.oracle import Oracle, oracle_bytes, oracle_steps, read_oracle
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.results import scoring_job
from explorer.ui.work.visitors import own_key, workdir
from explorer.ui.work.workspace import Workspace


def oracle_key(workspace: Workspace) -> str:
    """The key of the oracle's job and of its kept result; it goes on where the same images are wanted, and more."""
    images = workspace.images
    return own_key(f"oracle-{workspace.network.digest}-{images.digest}-{images.seed}")


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
    scored = scoring_job(workspace, none_removed(workspace.network.units))

    def work(job: Job) -> Oracle:  # not before the scores are there: they go first
        linear = scored.result.evidence.linear_change if scored.result and batches is workspace.calibration else None
        for found in oracle_steps(workspace.network, batches, known=known, linear=linear, report=job.report):
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
    """The result that an earlier job kept, or None if it can't be read: then it is run again."""
    path = _oracle_path(workspace)
    try:
        return _read(path, path.stat().st_mtime_ns, workspace.network.units)
    except (BadInput, FileNotFoundError):
        return None


@st.cache_resource(max_entries=2, show_spinner=False)
def _read(path: Path, written: int, _units: Units) -> Oracle:
    """The oracle of a file as it was written at that time."""
    return read_oracle(path, _units)


def bootstrap_job(workspace: Workspace, evidence: Evidence, found: Oracle, scaling: str) -> Job:
    """The job that draws the images anew; its result: criterion -> measure -> interval."""

    def work(job: Job) -> dict[str, dict[str, Interval]]:
        return intervals(evidence, found, score, scaling=scaling, report=job.report)

    return JOBS.ensure(f"intervals-{workspace.key}-{scaling}", "Drawing the images anew", work, SPARE)
