"""Fine-tunings: networks for one's own images, made by jobs in folders of their own, and gone on with after a stop."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import streamlit as st

from explorer.data import Preprocessing, open_images
from explorer.device import choose
from explorer.errors import BadInput
from explorer.export.files import write_whole
from explorer.finetune import IMAGENET, NONE, PAPER, Recipe
from explorer.load import DEMO, RUN_NETWORK, batches_for
from explorer.networks.network import Network
from explorer.preparation import UNCHANGED, Changes, changes_from_json
from explorer.run_folders import held_run
from explorer.runs import FILE, Run, read_run
from explorer.timeline import Timeline
from explorer.ui import workspace
from explorer.ui.address import RUN_ID
from explorer.ui.job import LONG, Job
from explorer.ui.jobs import JOBS
from explorer.ui.session import open_new
from explorer.ui.workspace import Source, keep_upload, upload_path, workdir

ASKED = "tuning.json"
DEVICE = "cpu"


@dataclass(frozen=True)
class Tuning:
    """What a person asked for: all that decides what becomes of it."""

    arch: str
    weights: str = IMAGENET  # or NONE, or the SHA-256 of an uploaded file
    name: str = ""  # what the upload was called
    data: str = DEMO
    epochs: int = 10
    recipe: Recipe = PAPER
    seed: int = 0
    changes: Changes = UNCHANGED

    @property
    def id(self) -> str:
        """The same for the same request, so that asking again finds what there is."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]

    @property
    def folder(self) -> Path:
        """Where its run lies."""
        return workdir() / "tunings" / self.id

    @property
    def title(self) -> str:
        """What a person calls it."""
        return f"{self.arch.partition(':')[2]} on {self.images}"

    @property
    def images(self) -> str:
        """What a person calls the images."""
        return Path(self.data).stem or self.data


@dataclass(frozen=True, eq=False)
class Standing:
    """How far a fine-tuning has come."""

    states: Timeline | None  # a state an epoch; None before the network at its start has been measured
    finished: bool
    job: Job | None


def start(tuning: Tuning) -> Job:
    """The job that takes a fine-tuning to its end, from where it stands; its partial results are timelines."""
    write_whole(tuning.folder / ASKED, json.dumps(_to_json(tuning), indent=1).encode())
    return JOBS.submit(_key(tuning), f"Fine-tuning {tuning.title}", lambda job: _work(tuning, job), LONG)


def standing(tuning: Tuning) -> Standing:
    """Where a fine-tuning stands, from its job or else from its folder."""
    job = JOBS.find(_key(tuning))
    if job and job.active and job.partial is not None:
        return Standing(job.partial, False, job)
    held = read_run(tuning.folder) if (tuning.folder / FILE).is_file() else None
    return Standing(held.timeline, held.finished, job) if held else Standing(None, False, job)


def open_tuned(tuning: Tuning) -> None:
    """Look at a run of its own on the network at the end, with the images and splits of its fine-tuning."""
    try:
        content = (tuning.folder / RUN_NETWORK).read_bytes()
    except OSError as error:
        raise BadInput(f"The network of {tuning.title} is no longer in the work folder: discard it.") from error
    name = f"{tuning.title.replace(' ', '-')}.safetensors"
    open_new(Source(keep_upload(content), name, None, tuning.data, tuning.seed))


def discard(tuning: Tuning) -> None:
    """Delete a fine-tuning and all that it has made."""
    JOBS.forget(_key(tuning))
    shutil.rmtree(tuning.folder, ignore_errors=True)


def all_tunings() -> list[Tuning]:
    """Those that the work folder holds, latest first; folders that can't be read are left out."""
    paths = sorted(workdir().glob(f"tunings/*/{ASKED}"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [found for path in paths if (found := find(path.parent.name))]


def find(name: str) -> Tuning | None:
    """The fine-tuning of this id, if there is one."""
    path = workdir() / "tunings" / name / ASKED
    if not RUN_ID.fullmatch(name) or not path.is_file():
        return None
    try:
        return _from_json(json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):  # a damaged file
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
    return f"tuning-{tuning.id}"


def _to_json(tuning: Tuning) -> dict[str, Any]:
    return {**asdict(tuning), "changes": tuning.changes.to_json()}


def _from_json(data: Mapping[str, Any]) -> Tuning:
    plain = Tuning(**{**data, "recipe": Recipe(**data["recipe"]), "changes": changes_from_json(data["changes"])})
    return replace(plain, epochs=int(plain.epochs), seed=int(plain.seed))


def _work(tuning: Tuning, job: Job) -> Run:
    from explorer.preparation import usual_preparation  # late: the catalogue of architectures takes seconds to import
    from explorer.tuning_runs import tuned, tuning_run

    job.report(0, 1, "opening images and network")
    preprocessing = tuning.changes.apply(usual_preparation(tuning.arch).preprocessing)
    images = open_images(tuning.data, seed=tuning.seed, clips=preprocessing.clips)
    network = _network(tuning, preprocessing, images.classes)
    splits = {
        "finetune": batches_for(network, images, "finetune"),
        "validation": batches_for(network, images, "validation", workspace.VALIDATION),
    }
    asked = tuning_run(
        network, splits, tuning.recipe, tuning.epochs, network_from=tuning.weights, images_from=tuning.data
    )
    held = held_run(tuning.folder, asked, "discard it and start anew")
    if held and held.finished:
        return held
    for run in tuned(network, splits, tuning.recipe, asked, tuning.folder, held, report=job.report):
        job.publish(run.timeline)
    return run


def _network(tuning: Tuning, preprocessing: Preprocessing, classes: tuple[str, ...]) -> Network:
    from explorer.networks.checkpoints import read_checkpoint
    from explorer.networks.pretrained import imagenet
    from explorer.transfer import started

    checkpoint = None
    if tuning.weights == IMAGENET:
        checkpoint = imagenet(tuning.arch)
    elif tuning.weights != NONE:
        checkpoint = read_checkpoint(_upload(tuning), tuning.name)
    return started(tuning.arch, checkpoint, preprocessing, classes, seed=tuning.seed).to(choose(DEVICE))


def _upload(tuning: Tuning) -> bytes:
    try:
        return upload_path(tuning.weights).read_bytes()
    except OSError as error:
        raise BadInput(f"{tuning.name} is no longer in the work folder; upload it again.") from error
