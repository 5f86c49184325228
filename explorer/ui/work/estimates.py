"""Estimates: how long work will take, before it is begun, from how long the whole network took to be measured."""

from __future__ import annotations

from explorer.networks.units import none_removed
from explorer.ui.elements import wording
from explorer.ui.work.results import find_measuring_job
from explorer.ui.work.workspace import Workspace

TRAINED = 3  # forward passes that one image costs where gradients are taken too


def about(workspace: Workspace, images: float) -> str:
    """ "about 3 min" for forward passes of so many images through the whole network; "" where none was timed."""
    job = find_measuring_job(workspace, none_removed(workspace.network.units))
    if job is None or job.result is None or not job.seconds:
        return ""
    return f"about {wording.duration(max(1.0, images * job.seconds / len(workspace.validation)))}"


def images_of_a_step(workspace: Workspace, updates: int, batch_size: int) -> float:
    """What a step of pruning and fine-tuning costs, in forward passes of an image: ranked, trained and measured."""
    trained = len(workspace.calibration) + updates * batch_size
    return TRAINED * trained + (2 if updates else 1) * len(workspace.validation)
