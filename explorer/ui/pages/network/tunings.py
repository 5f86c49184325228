"""Fine-tunings: networks for one's own images, made by jobs in folders of their own, and gone on with after a stop."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from explorer.core.errors import BadInput
from explorer.core.locks import sole_writer
from explorer.data.uploads import kept_images
from explorer.jobs.job import LONG, Job
from explorer.networks.load import batches_for
from explorer.runs.origins import read_upload
from explorer.runs.store import FILE, Run, own_network, read_run
from explorer.runs.timeline import Timeline
from explorer.runs.tunings import ASKED, Tuning, read_tuning, write_tuning
from explorer.ui.work import workspace
from explorer.ui.work.address import RUN_ID
from explorer.ui.work.jobs import JOBS
from explorer.ui.work.session import open_new
from explorer.ui.work.visitors import own_key
from explorer.ui.work.workspace import Source, keep_upload, workdir

DEVICE = "cpu"


@dataclass(frozen=True, eq=False)
class TuningStatus:
    """The progress of a fine-tuning."""

    states: Timeline | None  # a state an epoch; None before the network at its start has been measured
    finished: bool
    job: Job | None


def folder_of(tuning: Tuning) -> Path:
    """The folder of its run."""
    return workdir() / "tunings" / tuning.id


def start(tuning: Tuning) -> Job:
    """The job that takes a fine-tuning to its end, from where it stands; its partial results are timelines."""
    write_tuning(folder_of(tuning) / ASKED, tuning)
    return JOBS.submit(_key(tuning), f"Fine-tuning {tuning.title}", lambda job: _work(tuning, job), LONG)


def tuning_status(tuning: Tuning) -> TuningStatus:
    """The progress of a fine-tuning, from its job or else from its folder."""
    job = JOBS.find(_key(tuning))
    if job and job.active and job.partial is not None:
        return TuningStatus(job.partial, False, job)
    held = read_run(folder_of(tuning)) if (folder_of(tuning) / FILE).is_file() else None
    return TuningStatus(held.timeline, held.finished, job) if held else TuningStatus(None, False, job)


def open_tuned(tuning: Tuning) -> None:
    """Look at a run of its own on the network at the end, with the images and splits of its fine-tuning."""
    content = own_network(folder_of(tuning), read_run(folder_of(tuning)))
    name = f"{tuning.title.replace(' ', '-')}.safetensors"
    open_new(Source(keep_upload(content), name, None, tuning.data, tuning.seed))


def discard(tuning: Tuning) -> None:
    """Delete a fine-tuning and all that it has made."""
    JOBS.forget(_key(tuning))
    shutil.rmtree(folder_of(tuning), ignore_errors=True)


def all_tunings() -> list[Tuning]:
    """The readable fine-tunings in the work folder, latest first."""
    return [found for path in _kept() if (found := find(path.parent.name))]


def unreadable() -> list[str]:
    """A sentence for each that the work folder holds and that can't be read."""
    found = []
    for path in _kept():
        try:
            read_tuning(path)
        except BadInput as problem:
            found.append(str(problem))
    return found


def _kept() -> list[Path]:
    return sorted(workdir().glob(f"tunings/*/{ASKED}"), key=lambda path: path.lstat().st_mtime, reverse=True)


def find(name: str) -> Tuning | None:
    """The fine-tuning of this id, if there is one that can be read."""
    with suppress(BadInput):
        return read_tuning(workdir() / "tunings" / name / ASKED) if RUN_ID.fullmatch(name) else None
    return None


def in_view() -> Tuning | None:
    """The fine-tuning that this tab follows, kept in the address."""
    name = st.query_params.get("tuning") or st.session_state.get("tuning")
    found = find(str(name)) if name else None
    look_at(found)
    return found


def look_at(tuning: Tuning | None) -> None:
    """Follow a fine-tuning in this tab, or none any more."""
    st.session_state["tuning"] = tuning.id if tuning else None
    if tuning is None:
        st.query_params.pop("tuning", None)
    elif st.query_params.get("tuning") != tuning.id:
        st.query_params["tuning"] = tuning.id


def _key(tuning: Tuning) -> str:
    return own_key(f"tuning-{tuning.id}")


def _work(tuning: Tuning, job: Job) -> Run:
    from explorer.networks.checkpoints.reading import read_checkpoint
    from explorer.runs.tuning_runs import start_of, tuned, tuning_run

    job.report(0, 1, "opening images and network")
    at_hand = replace(tuning, data=kept_images(tuning.data, workdir()))
    network, images = start_of(
        at_hand, lambda digest: read_checkpoint(read_upload(workdir(), digest, tuning.name), tuning.name), device=DEVICE
    )
    splits = {
        "finetune": batches_for(network, images, "finetune"),
        "validation": batches_for(network, images, "validation", workspace.VALIDATION),
    }
    asked = tuning_run(
        network, splits, tuning.recipe, tuning.epochs, network_from=tuning.weights, images_from=tuning.data
    )
    with sole_writer(folder_of(tuning), "wait for it to end"):
        for run in tuned(network, splits, asked, folder_of(tuning), "discard it and start anew", job.report):
            job.publish(run.timeline)
    return run
